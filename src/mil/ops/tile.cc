#include "mil/ops/rules.h"
#include "mil/ops/walk.h"

namespace millwright::mil {
namespace {

Types Infer(const Call& call) {
  const Type& x = call.type("x");
  const std::vector<int64_t> reps = call.Ints("reps");
  if (reps.size() != x.shape.size()) {
    return call.Bad("'reps' {} must have one entry for each axis of {}", ShapeToString(reps),
                    ToString(x));
  }
  Type result = x;
  for (size_t axis = 0; axis < reps.size(); ++axis) {
    if (reps[axis] < 1) return call.Bad("'reps' {} must be positive", ShapeToString(reps));
    if (reps[axis] > kMaxElements / x.shape[axis]) {
      return call.Bad("'reps' {} leads to too many elements", ShapeToString(reps));
    }
    result.shape[axis] *= reps[axis];
  }
  if (Status status = CheckNewShape(call, result.shape); !status) return status.error();
  return std::vector<Type>{result};
}

// Reads x as a tensor of twice the rank, [reps0, d0, reps1, d1, ...], with stride 0 on every reps.
Arrays Evaluate(const Call& call, std::span<const Type> results, const Numerics&) {
  const Array& x = call.array("x");
  const std::vector<int64_t> reps = call.Ints("reps");
  const Strides dense = RowMajorStrides(x.type.shape);
  Shape shape;
  Strides strides;
  for (size_t axis = 0; axis < dense.size(); ++axis) {
    shape.insert(shape.end(), {reps[axis], x.type.shape[axis]});
    strides.insert(strides.end(), {0, dense[axis]});
  }
  return std::vector<Array>{{results[0], Gathered(x.data.data(), shape, strides)}};
}

}  // namespace

const OpDef k_tile = {
    .name = "tile",
    .doc = R"(
x repeated as a whole, reps[i] times along axis i.
  x       any tensor
  reps    constant list, one positive entry an axis
Opset ios15. Source: coremltools, MIL ops, iOS15 tensor_operation.)",
    .params = {{.name = "x"}, {.name = "reps", .constant = true, .kind = ParamKind::kInts}},
    .infer = Infer,
    .evaluate = Evaluate,
};

}  // namespace millwright::mil
