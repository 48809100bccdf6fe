#include "mil/ops/rules.h"
#include "mil/ops/walk.h"

namespace millwright::mil {
namespace {

// `perm` from the front, each axis once.
Result<std::vector<size_t>> ReadPermutation(const Call& call) {
  const size_t rank = call.type("x").shape.size();
  std::vector<size_t> perm;
  std::vector<bool> seen(rank, false);
  for (int64_t entry : call.Ints("perm")) {
    const Result<int64_t> axis = NormalizeAxis(call, entry, rank);
    if (!axis) return axis.error();
    perm.push_back(static_cast<size_t>(*axis));
    if (seen[perm.back()]) return call.Bad("'perm' names axis {} twice", *axis);
    seen[perm.back()] = true;
  }
  if (perm.size() != rank) {
    return call.Bad("'perm' must have one entry for each axis of {}, found {}",
                    ToString(call.type("x")), perm.size());
  }
  return perm;
}

Types Infer(const Call& call) {
  const Type& x = call.type("x");
  const Result<std::vector<size_t>> perm = ReadPermutation(call);
  if (!perm) return perm.error();
  Shape shape;
  for (size_t axis : *perm) shape.push_back(x.shape[axis]);
  return std::vector<Type>{{x.dtype, shape}};
}

Arrays Evaluate(const Call& call, std::span<const Type> results, const Numerics&) {
  const Array& x = call.array("x");
  const Result<std::vector<size_t>> perm = ReadPermutation(call);
  if (!perm) return perm.error();
  const Strides dense = RowMajorStrides(x.type.shape);
  Strides strides;
  for (size_t axis : *perm) strides.push_back(dense[axis]);
  return std::vector<Array>{{results[0], Gathered(x.data.data(), results[0].shape, strides)}};
}

}  // namespace

const OpDef k_transpose = {
    .name = "transpose",
    .doc = R"(
x with its axes in another order: axis i of the result is axis perm[i] of x.
  x       any tensor
  perm    constant list, every axis once; negative entries count from the back
Opset ios15. Source: coremltools, MIL ops, iOS15 tensor_transformation.)",
    .params = {{.name = "x"}, {.name = "perm", .constant = true, .kind = ParamKind::kInts}},
    .infer = Infer,
    .evaluate = Evaluate,
};

}  // namespace millwright::mil
