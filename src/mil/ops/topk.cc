#include "mil/ops/rules.h"
#include "mil/ops/sort.h"

namespace millwright::mil {
namespace {

Types Infer(const Call& call) {
  const Status status = CheckDType(call, "x",
                                   {DType::kFp16, DType::kFp32, DType::kInt32, DType::kInt8,
                                    DType::kUint8, DType::kInt16, DType::kUint16});
  if (!status) return status.error();
  Type values = call.type("x");
  const Result<int64_t> axis = NormalizeAxis(call, call.Int("axis", -1), values.shape.size());
  if (!axis) return axis.error();
  int64_t& length = values.shape[static_cast<size_t>(*axis)];
  const int64_t k = call.Int("k", 1);
  if (k != -1 && (k < 1 || k > length)) {
    return call.Bad("'k' is {}, axis {} of 'x' has {} elements", k, *axis, length);
  }
  if (k != -1) length = k;
  if (!call.Bool("return_indices", true)) {
    if (!call.Has("output_indices_dtype")) return std::vector<Type>{values};
    return call.Bad("'output_indices_dtype' is given, but 'return_indices' is false");
  }
  const Result<DType> dtype = ReadIndexDType(call, "output_indices_dtype");
  if (!dtype) return dtype.error();
  return std::vector<Type>{values, {*dtype, values.shape}};
}

Arrays Evaluate(const Call& call, std::span<const Type> results, const Numerics&) {
  const Array& x = call.array("x");
  const Result<int64_t> axis = NormalizeAxis(call, call.Int("axis", -1), x.type.shape.size());
  if (!axis) return axis.error();
  const AxisSplit from = SplitAt(x.type.shape, static_cast<size_t>(*axis));
  const AxisSplit to = SplitAt(results[0].shape, static_cast<size_t>(*axis));
  const bool ascending = call.Bool("ascending", false);
  std::vector<Array> arrays;
  for (const Type& type : results) arrays.push_back(NewArray(type));
  for (int64_t line = 0; line < from.lines(); ++line) {
    const std::vector<int64_t> order = SortedLine(x.data, from, line, ascending);
    for (int64_t i = 0; i < to.length; ++i) {
      const int64_t index = order[static_cast<size_t>(i)];
      const auto at = static_cast<size_t>(to.First(line) + i * to.inner);
      arrays[0].data[at] = x.data[static_cast<size_t>(from.First(line) + index * from.inner)];
      if (arrays.size() > 1) arrays[1].data[at] = static_cast<double>(index);
    }
  }
  return arrays;
}

}  // namespace

const OpDef k_topk = {
    .name = "topk",
    .doc = R"(
The k largest (or smallest) elements along an axis and, as a second result, their indices. They come in
order, largest (or smallest) first, also where sort is false; of equal elements the first one counts.
  x                     fp16, fp32 or int32 (ios17: also int8, uint8, int16, uint16), rank 1 or more
  k                     constant int, default 1; -1 means all (ios17)
  axis                  constant int, default -1
  ascending             constant bool, default false: the largest
  sort                  constant bool, default true, accepted (ios16)
  return_indices        constant bool, default true; where false there is one result (ios16)
  output_indices_dtype  constant string, "int32" (default) or "uint16" (ios17)
Opset ios15. Source: coremltools, MIL ops, iOS15, iOS16 and iOS17 tensor_operation.)",
    .params =
        {{.name = "x"},
         {.name = "k", .required = false, .constant = true, .kind = ParamKind::kInt},
         {.name = "axis", .required = false, .constant = true, .kind = ParamKind::kInt},
         {.name = "ascending", .required = false, .constant = true, .kind = ParamKind::kBool},
         {.name = "sort", .required = false, .constant = true, .kind = ParamKind::kBool},
         {.name = "return_indices", .required = false, .constant = true, .kind = ParamKind::kBool},
         {.name = "output_indices_dtype",
          .required = false,
          .constant = true,
          .kind = ParamKind::kText}},
    .infer = Infer,
    .evaluate = Evaluate,
};

}  // namespace millwright::mil
