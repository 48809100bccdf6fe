#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "mil/ops/rules.h"
#include "mil/ops/walk.h"

namespace millwright::mil {
namespace {

Types Infer(const Call& call) {
  if (Status status = CheckFloat(call, "x"); !status) return status.error();
  if (call.type("x").shape.size() < 3) {
    return call.Bad("'x' must have rank 3 or more, found {}", ToString(call.type("x")));
  }
  return std::vector<Type>{call.type("x")};
}

Arrays Evaluate(const Call& call, std::span<const Type> results, const Numerics&) {
  Array result{results[0], call.array("x").data};
  const Shape& shape = results[0].shape;
  const double epsilon = call.Float("epsilon", 1e-6);
  const auto size = static_cast<ptrdiff_t>(NumElements({shape.end() - 3, shape.end()}));
  for (auto row = result.data.begin(); row != result.data.end(); row += size) {
    const double sum = std::inner_product(row, row + size, row, 0.0);
    const double scale = 1.0 / std::sqrt(sum + epsilon);
    std::for_each(row, row + size, [scale](double& x) { x *= scale; });
  }
  return std::vector<Array>{std::move(result)};
}

}  // namespace

const OpDef k_l2_norm = {
    .name = "l2_norm",
    .doc = R"(
x / sqrt(s + epsilon), where s is the sum of x * x over the last three axes, of each batch of the axes
before. Summed wide in every precision.
  x        fp16 or fp32, rank 3 or more
  epsilon  a constant float, default 1e-6
Opset ios15. Source: coremltools, MIL ops, iOS15 and iOS17 normalization.)",
    .params = {{.name = "x"},
               {.name = "epsilon", .required = false, .constant = true, .kind = ParamKind::kFloat}},
    .infer = Infer,
    .evaluate = Evaluate,
};

}  // namespace millwright::mil
