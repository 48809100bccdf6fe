#include <algorithm>

#include "mil/ops/compressed.h"

namespace millwright::mil {
namespace {

Types InferPacked(const Call& call) {
  const Shape shape = call.Ints("shape");
  if (Status status = CheckNewShape(call, shape); !status) return status.error();
  if (Status status = CheckDType(call, "mask", {DType::kUint8}); !status) return status.error();
  const Type& nonzero = call.type("nonzero_data");
  const int64_t count = NumElements(shape);
  const Shape expected{(count + 7) / 8};
  if (call.type("mask").shape != expected || nonzero.shape.size() != 1) {
    return call.Bad("'mask' must have shape {} and 'nonzero_data' rank 1, found {} and {}",
                    ShapeToString(expected), ToString(call.type("mask")), ToString(nonzero));
  }
  if (const Array* mask = call.Find("mask")->arrays.front()) {
    const std::vector<double> bits = Unpacked(mask->data, 1, 8 * expected[0]);
    if (std::ranges::count(bits, 1.0) != nonzero.shape[0] ||
        std::any_of(bits.begin() + count, bits.end(), [](double bit) { return bit != 0.0; })) {
      return call.Bad("'mask' must have {} ones, all among its first {} bits", nonzero.shape[0],
                      count);
    }
  }
  return std::vector<Type>{{nonzero.dtype, shape}};
}

Types Infer(const Call& call) {
  if (Status status = CheckDType(call, "nonzero_data", kCompressed); !status) return status.error();
  if (call.Has("shape")) return InferPacked(call);
  if (Status status = CheckSparse(call, "nonzero_data", "mask"); !status) return status.error();
  return std::vector<Type>{{call.type("nonzero_data").dtype, call.type("mask").shape}};
}

Arrays Evaluate(const Call& call, std::span<const Type> results, const Numerics&) {
  const std::vector<double>& nonzero = call.array("nonzero_data").data;
  std::vector<double> mask = call.array("mask").data;
  if (call.Has("shape")) mask = Unpacked(mask, 1, results[0].elements());
  // A mask in a weight file is seen here first.
  if (static_cast<size_t>(std::ranges::count(mask, 1.0)) != nonzero.size()) {
    return call.Bad("'mask' has {} ones, 'nonzero_data' has {} elements",
                    std::ranges::count(mask, 1.0), nonzero.size());
  }
  return std::vector<Array>{{results[0], Spread(nonzero, mask)}};
}

}  // namespace

const OpDef k_constexpr_sparse_to_dense = {
    .name = "constexpr_sparse_to_dense",
    .doc = R"(
Weights of which only the elements where a mask is 1 are stored, the others being 0, at compile time.
  nonzero_data  constant of rank 1 with an element for each 1 of the mask, in row-major order: int8, uint8,
                fp16 or fp32, with ios18 also int4 and uint4; its dtype is the result's
  mask          in ios16 uint8 [ceil(N / 8)], N bits packed from the lowest one, unused ones 0;
                in ios18 a uint1 constant of the result's shape
  shape         uint32 list, the result's shape of N elements; ios16 only
Its parameters stand in the brackets (ios16) or parentheses (ios18).
Opset ios16. Source: coremltools, MIL ops, iOS16 constexpr_ops and iOS18 compression.)",
    .params = {{.name = "nonzero_data", .constant = true},
               {.name = "mask", .constant = true},
               {.name = "shape", .required = false, .constant = true, .kind = ParamKind::kInts}},
    .attributes_are_params = true,
    .infer = Infer,
    .evaluate = Evaluate,
    .since = 16,
};

}  // namespace millwright::mil
