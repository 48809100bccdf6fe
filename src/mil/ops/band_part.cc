#include <utility>

#include "mil/ops/rules.h"

namespace millwright::mil {
namespace {

Types Infer(const Call& call) {
  const Type& x = call.type("x");
  if (x.shape.size() < 2) return call.Bad("'x' must have rank 2 or more, found {}", ToString(x));
  return std::vector<Type>{x};
}

Arrays Evaluate(const Call& call, std::span<const Type> results, const Numerics&) {
  Array result{results[0], call.array("x").data};
  const int64_t lower = call.Int("lower", -1);
  const int64_t upper = call.Int("upper", -1);
  const int64_t columns = results[0].shape.back();
  const int64_t rows = results[0].shape[results[0].shape.size() - 2];
  for (int64_t i = 0; i < results[0].elements(); ++i) {
    const int64_t below = i / columns % rows - i % columns;
    const bool inside = (lower < 0 || below <= lower) && (upper < 0 || -below <= upper);
    if (!inside) result.data[static_cast<size_t>(i)] = 0.0;
  }
  return std::vector<Array>{std::move(result)};
}

}  // namespace

const OpDef k_band_part = {
    .name = "band_part",
    .doc = R"(
x with everything outside of a band of its last two axes set to 0: element [.., m, n] stays where
m - n <= lower or lower < 0, and n - m <= upper or upper < 0.
  x      fp16, fp32, int32 or bool, rank 2 or more
  lower  constant int, default -1: that many diagonals below the main one stay, all where negative
  upper  constant int, default -1: the same above it
Opset ios15. Source: coremltools, MIL ops, iOS15 tensor_operation.)",
    .params = {{.name = "x"},
               {.name = "lower", .required = false, .constant = true, .kind = ParamKind::kInt},
               {.name = "upper", .required = false, .constant = true, .kind = ParamKind::kInt}},
    .infer = Infer,
    .evaluate = Evaluate,
};

}  // namespace millwright::mil
