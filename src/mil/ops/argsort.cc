#include <utility>

#include "mil/ops/rules.h"
#include "mil/ops/sort.h"

namespace millwright::mil {
namespace {

Types Infer(const Call& call) {
  const Status status = CheckDType(call, "x", {DType::kFp16, DType::kFp32, DType::kInt32});
  if (!status) return status.error();
  const Shape& shape = call.type("x").shape;
  const Result<int64_t> axis = NormalizeAxis(call, call.Int("axis", -1), shape.size());
  if (!axis) return axis.error();
  return std::vector<Type>{{DType::kInt32, shape}};
}

Arrays Evaluate(const Call& call, std::span<const Type> results, const Numerics&) {
  const Array& x = call.array("x");
  const Result<int64_t> axis = NormalizeAxis(call, call.Int("axis", -1), x.type.shape.size());
  if (!axis) return axis.error();
  const AxisSplit split = SplitAt(x.type.shape, static_cast<size_t>(*axis));
  const bool ascending = call.Bool("ascending", false);
  Array result = NewArray(results[0]);
  for (int64_t line = 0; line < split.lines(); ++line) {
    double* out = result.data.data() + split.First(line);
    for (int64_t index : SortedLine(x.data, split, line, ascending)) {
      *out = static_cast<double>(index);
      out += split.inner;
    }
  }
  return std::vector<Array>{std::move(result)};
}

}  // namespace

const OpDef k_argsort = {
    .name = "argsort",
    .doc = R"(
The indices along an axis in the order of their elements; equal elements keep their order, NaN comes last.
  x          fp16, fp32 or int32, rank 1 or more
  axis       constant int, default -1
  ascending  constant bool, default false: largest first
  result     int32
Opset ios15. Source: coremltools, MIL ops, iOS15 tensor_operation.)",
    .params =
        {{.name = "x"},
         {.name = "axis", .required = false, .constant = true, .kind = ParamKind::kInt},
         {.name = "ascending", .required = false, .constant = true, .kind = ParamKind::kBool}},
    .infer = Infer,
    .evaluate = Evaluate,
};

}  // namespace millwright::mil
