#include <algorithm>

#include "mil/ops/rules.h"
#include "mil/ops/walk.h"

namespace millwright::mil {
namespace {

// Scalars become a vector.
Types InferScalars(const Call& call) {
  const std::vector<Type>& values = call.Find("values")->types;
  const int64_t axis = call.Int("axis", 0);
  const bool same = std::ranges::all_of(values, [&](const Type& v) { return v == values.front(); });
  if (!same || axis < -1 || axis > 0) {
    return call.Bad("scalars are joined along axis 0 and have one dtype");
  }
  return std::vector<Type>{{values.front().dtype, {static_cast<int64_t>(values.size())}}};
}

Types Infer(const Call& call) {
  const std::vector<Type>& values = call.Find("values")->types;
  Type result = values.front();
  if (result.shape.empty()) return InferScalars(call);
  const Result<int64_t> axis = NormalizeAxis(call, call.Int("axis", 0), result.shape.size());
  if (!axis) return axis.error();
  const auto along = static_cast<size_t>(*axis);
  const bool interleave = call.Bool("interleave", false);
  int64_t total = 0;
  for (const Type& value : values) {
    Type expected = values.front();
    if (value.shape.size() == expected.shape.size() && !interleave) {
      expected.shape[along] = value.shape[along];
    }
    if (value != expected) {
      return call.Bad("{} does not fit beside {} along axis {}{}", ToString(value),
                      ToString(values.front()), *axis, interleave ? " (interleaved)" : "");
    }
    total += value.shape[along];
  }
  result.shape[along] = total;
  return std::vector<Type>{result};
}

// Both forms copy runs of elements: an operand's whole extent along the axis at once, or one index
// of the axis from each operand in turn.
Arrays Evaluate(const Call& call, std::span<const Type> results, const Numerics&) {
  const std::vector<const Array*>& values = call.Find("values")->arrays;
  const Shape& shape = results[0].shape;
  const Result<int64_t> axis = NormalizeAxis(call, call.Int("axis", 0), shape.size());
  if (!axis) return axis.error();
  const auto along = static_cast<size_t>(*axis);
  int64_t turns = 1;
  for (size_t i = 0; i < along; ++i) turns *= shape[i];
  if (call.Bool("interleave", false) && !values.front()->type.shape.empty()) {
    turns *= values.front()->type.shape[along];
  }
  Array result = NewArray(results[0]);
  auto out = result.data.begin();
  for (int64_t turn = 0; turn < turns; ++turn) {
    for (const Array* value : values) {
      const int64_t run = value->type.elements() / turns;
      out = std::copy_n(value->data.begin() + turn * run, run, out);
    }
  }
  return std::vector<Array>{std::move(result)};
}

}  // namespace

const OpDef k_concat = {
    .name = "concat",
    .doc = R"(
The values joined along an axis.
  values      a tuple of tensors of one dtype, whose shapes agree except along axis; or of scalars, which
              become a vector
  axis        constant int
  interleave  constant bool, default false; where true all shapes agree, and the result takes one index
              of the axis from each value in turn: a0 b0 a1 b1 ...
Opset ios15. Source: coremltools, MIL ops, iOS15 tensor_operation.)",
    .params =
        {{.name = "values", .kind = ParamKind::kValues},
         {.name = "axis", .constant = true, .kind = ParamKind::kInt},
         {.name = "interleave", .required = false, .constant = true, .kind = ParamKind::kBool}},
    .infer = Infer,
    .evaluate = Evaluate,
};

}  // namespace millwright::mil
