#include "mil/ops/rules.h"

namespace millwright::mil {
namespace {

Types Infer(const Call& call) {
  const Type& x = call.type("x");
  Shape shape = call.Ints("shape");
  int64_t known = 1;
  int64_t* inferred = nullptr;
  for (size_t axis = 0; axis < shape.size(); ++axis) {
    int64_t& dim = shape[axis];
    if (dim == -1) {
      if (inferred != nullptr) return call.Bad("'shape' may hold one -1 only");
      inferred = &dim;
      continue;
    }
    if (dim == 0) {  // axes are matched from the last one on
      const size_t behind = shape.size() - axis;
      dim = behind <= x.shape.size() ? x.shape[x.shape.size() - behind] : 1;
    }
    if (dim < 1) return call.Bad("'shape' {} has a negative entry", ShapeToString(shape));
    if (known > (kMaxElements - 1) / dim) {
      return call.Bad("'shape' {} has too many elements", ShapeToString(shape));
    }
    known *= dim;
  }
  if (inferred != nullptr && x.elements() % known == 0) {
    *inferred = x.elements() / known;
    known *= *inferred;
  }
  if (known != x.elements()) {
    return call.Bad("{} has {} elements, which do not fit shape {}", ToString(x), x.elements(),
                    ShapeToString(call.Ints("shape")));
  }
  return std::vector<Type>{{x.dtype, shape}};
}

Arrays Evaluate(const Call& call, std::span<const Type> results, const Numerics&) {
  return std::vector<Array>{{results[0], call.array("x").data}};
}

}  // namespace

const OpDef k_reshape = {
    .name = "reshape",
    .doc = R"(
The elements of x, in row-major order, as another shape.
  x       any tensor
  shape   constant list; one entry may be -1, computed from the others; 0 copies the axis of x that is
          as far from the last, 1 where x has none (before ios17 only where the ranks are equal)
Opset ios15. Source: coremltools, MIL ops, iOS15 and iOS17 tensor_transformation.)",
    .params = {{.name = "x"}, {.name = "shape", .constant = true, .kind = ParamKind::kInts}},
    .infer = Infer,
    .evaluate = Evaluate,
};

}  // namespace millwright::mil
