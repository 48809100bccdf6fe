// Products of operands in fewer bits, of precisions int8 and bf16: the narrow form of a weight is a
// copy that the call keeps, that of an activation an arena buffer that all products with it share.
#include <algorithm>

#include "device/cpu/lowering.h"
#include "math/int8.h"

namespace millwright::device::cpu {
namespace {

// Below it a product costs less than rounding its operands.
constexpr int64_t kLeastSide = 32;
constexpr int64_t kLeastColumns = 16;

bool IsInt8(const Lowering& lowering) { return lowering.numerics.precision() == Precision::kInt8; }

size_t Bf16Bytes(int64_t rows, int64_t columns) {
  return static_cast<size_t>(rows * columns) * sizeof(Bf16);
}

// The arena buffer with the narrow form of `view`, made when it is first asked for.
int Rounded(Lowering& lowering, const View& view, const math::GemmShape& shape) {
  for (const auto& [known, buffer] : lowering.rounded) {
    if (known == view) return buffer;
  }
  const size_t bytes =
      IsInt8(lowering) ? math::Int8ActivationsBytes(shape.k, shape.n) : Bf16Bytes(shape.k, shape.n);
  const int buffer =
      lowering.plan.AddArena(static_cast<int64_t>((bytes + sizeof(float) - 1) / sizeof(float)));
  const MatrixOperand from = {view.buffer, view.offset, shape.ldb, false};
  lowering.Emit(IsInt8(lowering) ? MakeQuantizeStep(from, shape.k, shape.n, buffer)
                                 : MakeToBf16Step(from, shape.k, shape.n, buffer));
  lowering.rounded.emplace_back(view, buffer);
  return buffer;
}

}  // namespace

bool IsRoundedProduct(const Lowering& lowering, const math::GemmShape& shape, const View& a) {
  if (!HasRoundedProducts(lowering.numerics.precision()) || shape.transpose_b) return false;
  const BufferKind kind = lowering.plan.buffers[static_cast<size_t>(a.buffer)].kind;
  return (kind == BufferKind::kInput || kind == BufferKind::kConstant) &&
         std::min(shape.m, shape.k) >= kLeastSide && shape.n >= kLeastColumns &&
         (shape.k <= math::kInt8MaxDepth || !IsInt8(lowering));
}

void EmitRoundedGemm(Lowering& lowering, const math::GemmShape& shape, const View& a, const View& b,
                     const View& to) {
  const bool int8 = IsInt8(lowering);
  lowering.Fired(int8 ? CompileRule::kInt8Product : CompileRule::kBf16Product);
  Plan& plan = lowering.plan;
  const int activations = Rounded(lowering, b, shape);
  plan.copies.push_back(
      {a.buffer, int8 ? math::Int8WeightsBytes(shape.m, shape.k) : Bf16Bytes(shape.m, shape.k)});
  const RoundedProduct product = {.rows = shape.m,
                                  .columns = shape.n,
                                  .depth = shape.k,
                                  .a = {a.buffer, a.offset, shape.lda, shape.transpose_a},
                                  .c = {to.buffer, to.offset, shape.ldc, false},
                                  .accumulate = shape.accumulate,
                                  .activations = activations,
                                  .copy = static_cast<int>(plan.copies.size()) - 1};
  lowering.Emit(int8 ? MakeInt8GemmStep(product) : MakeBf16GemmStep(product, lowering.gemm));
}

}  // namespace millwright::device::cpu
