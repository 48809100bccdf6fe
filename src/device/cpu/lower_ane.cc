// Precision ane: products by math/ane_gemm.h, all other arithmetic as mil/ops defines it, so that
// results are those of the reference bit for bit.
#include <array>

#include "device/cpu/lowering.h"

namespace millwright::device::cpu {

bool IsAneProduct(const Lowering& lowering, const mil::Operation& operation) {
  return lowering.type(operation.outputs[0]).dtype == DType::kFp16 &&
         operation.FindArgument("bias") == nullptr;
}

bool IsPlainOnAne(const Lowering& lowering, const mil::Operation& operation) {
  constexpr std::array<std::string_view, 9> kPlain = {"reshape", "transpose", "expand_dims",
                                                      "squeeze", "identity",  "tile",
                                                      "concat",  "split",     "slice_by_size"};
  const bool clamps = lowering.numerics.Follows(AneRule::kSliceClamp);
  for (std::string_view plain : kPlain) {
    const bool slices = plain == "split" || plain == "slice_by_size";
    if (operation.op == plain) return !(slices && clamps);
  }
  if (operation.op == "slice_by_index") return !clamps;
  const bool product =
      operation.op == "matmul" || operation.op == "linear" || operation.op == "conv";
  return product && IsAneProduct(lowering, operation);
}

void EmitAneGemm(Lowering& lowering, const View& a, const View& b, const View& to) {
  const auto scratch = [&](const View& view) {
    return IsDense(view) ? -1 : lowering.plan.AddArena(view.elements());
  };
  AneProduct product{a, b, to};
  product.dense_a = scratch(a);
  product.dense_b = scratch(b);
  product.dense_to = scratch(to);
  lowering.Emit(MakeAneGemmStep(std::move(product), lowering.numerics));
}

}  // namespace millwright::device::cpu
