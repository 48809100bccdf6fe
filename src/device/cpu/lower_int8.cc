// Products in 8 bits: the 8-bit form of a weight is a copy that the call keeps, that of an
// activation an arena buffer that all products with it share.
#include <algorithm>

#include "device/cpu/lowering.h"
#include "math/int8.h"

namespace millwright::device::cpu {
namespace {

// Below it a product costs less than quantising its operands.
constexpr int64_t kLeastSide = 32;
constexpr int64_t kLeastColumns = 16;

// The arena buffer with the 8-bit form of `view`, made when it is first asked for.
int Quantized(Lowering& lowering, const View& view, const math::GemmShape& shape) {
  for (const auto& [known, buffer] : lowering.quantized) {
    if (known == view) return buffer;
  }
  const size_t bytes = math::Int8ActivationsBytes(shape.k, shape.n);
  const int buffer = lowering.plan.AddArena(static_cast<int64_t>(bytes / sizeof(float)));
  lowering.Emit(
      MakeQuantizeStep({view.buffer, view.offset, shape.ldb, false}, shape.k, shape.n, buffer));
  lowering.quantized.emplace_back(view, buffer);
  return buffer;
}

}  // namespace

bool IsInt8Product(const Lowering& lowering, const math::GemmShape& shape, const View& a) {
  if (!lowering.int8() || shape.transpose_b) return false;
  const BufferKind kind = lowering.plan.buffers[static_cast<size_t>(a.buffer)].kind;
  return (kind == BufferKind::kInput || kind == BufferKind::kConstant) &&
         std::min(shape.m, shape.k) >= kLeastSide && shape.n >= kLeastColumns &&
         shape.k <= math::kInt8MaxDepth;
}

void EmitInt8Gemm(Lowering& lowering, const math::GemmShape& shape, const View& a, const View& b,
                  const View& to) {
  Plan& plan = lowering.plan;
  const int activations = Quantized(lowering, b, shape);
  plan.copies.push_back({a.buffer, math::Int8WeightsBytes(shape.m, shape.k)});
  lowering.Emit(MakeInt8GemmStep({.rows = shape.m,
                                  .columns = shape.n,
                                  .depth = shape.k,
                                  .a = {a.buffer, a.offset, shape.lda, shape.transpose_a},
                                  .c = {to.buffer, to.offset, shape.ldc, false},
                                  .activations = activations,
                                  .copy = static_cast<int>(plan.copies.size()) - 1}));
}

}  // namespace millwright::device::cpu
