#include <utility>

#include "mil/ops/rules.h"
#include "mil/ops/walk.h"

namespace millwright::mil {
namespace {

Types Infer(const Call& call) {
  const Status status = CheckDType(call, "x", {DType::kFp16, DType::kFp32, DType::kInt32});
  if (!status) return status.error();
  const Type& x = call.type("x");
  const Result<int64_t> axis = NormalizeAxis(call, call.Int("axis", 0), x.shape.size());
  if (!axis) return axis.error();
  return std::vector<Type>{x};
}

Arrays Evaluate(const Call& call, std::span<const Type> results, const Numerics&) {
  const Array& x = call.array("x");
  const Result<int64_t> axis = NormalizeAxis(call, call.Int("axis", 0), x.type.shape.size());
  if (!axis) return axis.error();
  const AxisSplit split = SplitAt(x.type.shape, static_cast<size_t>(*axis));
  const bool exclusive = call.Bool("exclusive", false);
  const bool reverse = call.Bool("reverse", false);
  Array result = NewArray(results[0]);
  for (int64_t line = 0; line < split.lines(); ++line) {
    double sum = 0.0;
    for (int64_t i = 0; i < split.length; ++i) {
      const int64_t index = reverse ? split.length - 1 - i : i;
      const auto at = static_cast<size_t>(split.First(line) + index * split.inner);
      const double before = sum;
      sum += x.data[at];
      result.data[at] = exclusive ? before : sum;
    }
  }
  return std::vector<Array>{std::move(result)};
}

}  // namespace

const OpDef k_cumsum = {
    .name = "cumsum",
    .doc = R"(
The sums of x along an axis up to each element, added one after the other; every partial sum is wide.
  x          fp16, fp32 or int32, rank 1 or more
  axis       constant int, default 0
  exclusive  constant bool, default false; where true the element itself is left out
  reverse    constant bool, default false; where true sums run from the last element to the first
Opset ios15. Source: coremltools, MIL ops, iOS15 tensor_operation.)",
    .params = {{.name = "x"},
               {.name = "axis", .required = false, .constant = true, .kind = ParamKind::kInt},
               {.name = "exclusive", .required = false, .constant = true, .kind = ParamKind::kBool},
               {.name = "reverse", .required = false, .constant = true, .kind = ParamKind::kBool}},
    .infer = Infer,
    .evaluate = Evaluate,
};

}  // namespace millwright::mil
