// Products of a weight with one vector that read a copy of the weight in fewer bits.
#include "device/cpu/lowering.h"
#include "math/gemv.h"
#include "math/narrow.h"

namespace millwright::device::cpu {

bool IsNarrowProduct(const Lowering& lowering, const math::GemmShape& shape, const View& a) {
  if (lowering.vector_weights == DType::kFp32) return false;
  const BufferKind kind = lowering.plan.buffers[static_cast<size_t>(a.buffer)].kind;
  const math::GemvForm form = math::AsGemv(shape);
  return (kind == BufferKind::kInput || kind == BufferKind::kConstant) && form.possible &&
         form.matrix_is_a && !form.shape.transposed;
}

void EmitNarrowGemv(Lowering& lowering, const math::GemmShape& shape, const View& a, const View& b,
                    const View& to) {
  Plan& plan = lowering.plan;
  const DType dtype = lowering.vector_weights;
  plan.copies.push_back({a.buffer, math::NarrowBytes(dtype, shape.m, shape.k)});
  lowering.Emit(MakeNarrowGemvStep({.dtype = dtype,
                                    .rows = shape.m,
                                    .columns = shape.k,
                                    .a = {a.buffer, a.offset, shape.lda, false},
                                    .x = {b.buffer, b.offset, 1, false},
                                    .y = {to.buffer, to.offset, 1, false},
                                    .copy = static_cast<int>(plan.copies.size()) - 1}));
}

}  // namespace millwright::device::cpu
