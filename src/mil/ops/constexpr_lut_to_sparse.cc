#include <utility>

#include "mil/ops/compressed.h"

namespace millwright::mil {
namespace {

constexpr std::initializer_list<DType> kIndices = {DType::kUint1, DType::kUint2, DType::kUint3,
                                                   DType::kUint4, DType::kUint6, DType::kUint8};

Types Infer(const Call& call) {
  Status status = CheckDType(call, "indices_nonzero_data", kIndices);
  if (!status) return status.error();
  status = CheckSparse(call, "indices_nonzero_data", "indices_mask");
  if (!status) return status.error();
  const Type& indices = call.type("indices_nonzero_data");
  const Type& mask = call.type("indices_mask");
  const Result<Shape> shape = LookupShape(call, indices.dtype, mask.shape);
  if (!shape) return shape.error();
  const Type& lut = call.type("lut");
  return std::vector<Type>{{mask.dtype, *shape},
                           {lut.dtype, {indices.shape[0] * lut.shape.back()}}};
}

// The mask with every bit as often, along vector_axis, as an entry has elements.
std::vector<double> Widened(const Call& call, const Array& mask, const Shape& wide) {
  std::vector<double> bits(static_cast<size_t>(NumElements(wide)));
  const std::vector<int64_t> narrow = BlockOfElements(mask.type.shape, wide);
  for (size_t i = 0; i < bits.size(); ++i) {
    bits[i] = call.array("indices_mask").data[static_cast<size_t>(narrow[i])];
  }
  return bits;
}

Arrays Evaluate(const Call& call, std::span<const Type> results, const Numerics&) {
  // A mask in a weight file is seen here first.
  const Status status = CheckSparse(call, "indices_nonzero_data", "indices_mask");
  if (!status) return status.error();
  const Array& mask = call.array("indices_mask");
  const std::vector<double> indices = Spread(call.array("indices_nonzero_data").data, mask.data);
  const std::vector<double> dense = Lookup(call, indices, mask.type.shape);
  std::vector<double> wide = Widened(call, mask, results[0].shape);
  std::vector<double> nonzero = Picked(dense, wide);
  return std::vector<Array>{{results[0], std::move(wide)}, {results[1], std::move(nonzero)}};
}

}  // namespace

const OpDef k_constexpr_lut_to_sparse = {
    .name = "constexpr_lut_to_sparse",
    .doc = R"(
constexpr_lut_to_dense of indices that are absent where a mask is 0: two results, the mask and the elements
where it is 1. With vectors of V elements each index, and its bit of the mask, becomes V along vector_axis.
  indices_mask          uint1 constant, rank 1 or more, the shape of all indices
  indices_nonzero_data  constant with an index for each 1 of indices_mask, in row-major order: uint1, uint2,
                        uint3, uint4, uint6 or uint8
  lut                   [*blocks, 2^bits, V] as in constexpr_lut_to_dense of ios18
  vector_axis           constant int, needed where V > 1
Opset ios18. Source: coremltools, MIL ops, iOS18 compression.)",
    .params =
        {{.name = "indices_mask", .constant = true},
         {.name = "indices_nonzero_data", .constant = true},
         {.name = "lut", .constant = true},
         {.name = "vector_axis", .required = false, .constant = true, .kind = ParamKind::kInt}},
    .attributes_are_params = true,
    .infer = Infer,
    .evaluate = Evaluate,
    .since = 18,
};

}  // namespace millwright::mil
