#include <algorithm>

#include "mil/ops/rules.h"

namespace millwright::mil {
namespace {

// The scalar constants of a tuple, as many as there are reference tensors.
Result<std::vector<int64_t>> ReadScalars(const Call& call, std::string_view key, bool flags) {
  const CallArgument& tuple = *call.Find(key);
  const size_t count = call.Find("ref_tensors")->types.size();
  if (tuple.types.size() != count) {
    return call.Bad("'{}' has {} entries, 'ref_tensors' has {}", key, tuple.types.size(), count);
  }
  std::vector<int64_t> scalars;
  for (size_t i = 0; i < count; ++i) {
    const Type& type = tuple.types[i];
    const DType expected = flags ? DType::kBool : DType::kInt32;
    if (type != Type{expected, {}} || tuple.arrays[i] == nullptr) {
      return call.Bad("'{}' must hold constants of type {}, found {}", key, DTypeName(expected),
                      ToString(type));
    }
    scalars.push_back(static_cast<int64_t>(tuple.arrays[i]->data.front()));
  }
  return scalars;
}

Types Infer(const Call& call) {
  const Result<std::vector<int64_t>> begins = ReadScalars(call, "begins", false);
  if (!begins) return begins.error();
  const Result<std::vector<int64_t>> ends = ReadScalars(call, "ends", false);
  if (!ends) return ends.error();
  const Result<std::vector<int64_t>> masks = ReadScalars(call, "end_masks", true);
  if (!masks) return masks.error();
  Type result{call.type("x").dtype, {}};
  for (size_t i = 0; i < begins->size(); ++i) {
    const Shape& shape = call.Find("ref_tensors")->types[i].shape;
    const auto rank = static_cast<int64_t>(shape.size());
    const auto place = [rank](int64_t at) {
      return std::clamp(at < 0 ? at + rank : at, int64_t{0}, rank);
    };
    const int64_t end = (*masks)[i] != 0 ? rank : place((*ends)[i]);
    for (int64_t axis = place((*begins)[i]); axis < end; ++axis) {
      result.shape.push_back(shape[static_cast<size_t>(axis)]);
    }
  }
  if (Status status = CheckNewShape(call, result.shape); !status) return status.error();
  if (result.elements() != call.type("x").elements()) {
    return call.Bad("{} does not fit shape {}", ToString(call.type("x")),
                    ShapeToString(result.shape));
  }
  return std::vector<Type>{result};
}

Arrays Evaluate(const Call& call, std::span<const Type> results, const Numerics&) {
  return std::vector<Array>{{results[0], call.array("x").data}};
}

}  // namespace

const OpDef k_reshape_like = {
    .name = "reshape_like",
    .doc = R"(
The elements of x, in row-major order, in a shape put together from pieces of other tensors' shapes:
ref_tensors[0].shape[begins[0]:ends[0]], then ref_tensors[1].shape[begins[1]:ends[1]], and so on, with
Python's rules for negative entries.
  x            any tensor
  ref_tensors  a tuple of tensors; only their shapes count
  begins       a tuple of constant ints, one for each of ref_tensors
  ends         a tuple of constant ints
  end_masks    a tuple of constant bools: where true the piece goes on to the last axis
Opset ios16. Source: coremltools, MIL ops, iOS16 and iOS17 tensor_transformation.)",
    .params = {{.name = "x"},
               {.name = "ref_tensors", .kind = ParamKind::kValues},
               {.name = "begins", .kind = ParamKind::kValues},
               {.name = "ends", .kind = ParamKind::kValues},
               {.name = "end_masks", .kind = ParamKind::kValues}},
    .infer = Infer,
    .evaluate = Evaluate,
    .since = 16,
};

}  // namespace millwright::mil
