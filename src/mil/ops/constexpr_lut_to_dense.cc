#include <utility>

#include "mil/ops/compressed.h"

namespace millwright::mil {
namespace {

constexpr std::initializer_list<DType> kIndices = {DType::kUint1, DType::kUint2, DType::kUint3,
                                                   DType::kUint4, DType::kUint6, DType::kUint8};

// 2, 4, 16, 64 or 256 entries.
int BitsOf(int64_t entries) {
  for (int bits : {1, 2, 4, 6, 8}) {
    if (entries == int64_t{1} << bits) return bits;
  }
  return 0;
}

Types InferPacked(const Call& call) {
  const Shape shape = call.Ints("shape");
  if (Status status = CheckNewShape(call, shape); !status) return status.error();
  if (Status status = CheckDType(call, "indices", {DType::kUint8}); !status) return status.error();
  const Type& lut = call.type("lut");
  const int bits = lut.shape.size() == 1 ? BitsOf(lut.shape[0]) : 0;
  if (bits == 0) {
    return call.Bad("'lut' must have 2, 4, 16, 64 or 256 entries, found {}", ToString(lut));
  }
  const Shape expected{(bits * NumElements(shape) + 7) / 8};
  if (call.type("indices").shape != expected) {
    return call.Bad("'indices' must have shape {}, found {}", ShapeToString(expected),
                    ToString(call.type("indices")));
  }
  return std::vector<Type>{{lut.dtype, shape}};
}

Types Infer(const Call& call) {
  const Status status =
      CheckDType(call, "lut", {DType::kInt8, DType::kUint8, DType::kFp16, DType::kFp32});
  if (!status) return status.error();
  if (call.Has("shape")) return InferPacked(call);
  if (Status known = CheckDType(call, "indices", kIndices); !known) return known.error();
  const Type& indices = call.type("indices");
  const Result<Shape> shape = LookupShape(call, indices.dtype, indices.shape);
  if (!shape) return shape.error();
  return std::vector<Type>{{call.type("lut").dtype, *shape}};
}

Arrays Evaluate(const Call& call, std::span<const Type> results, const Numerics&) {
  const Array& indices = call.array("indices");
  if (!call.Has("shape")) {
    return std::vector<Array>{{results[0], Lookup(call, indices.data, indices.type.shape)}};
  }
  const std::vector<double>& lut = call.array("lut").data;
  const int bits = BitsOf(static_cast<int64_t>(lut.size()));
  Array result{results[0], Unpacked(indices.data, bits, results[0].elements())};
  for (double& value : result.data) value = lut[static_cast<size_t>(value)];
  return std::vector<Array>{std::move(result)};
}

}  // namespace

const OpDef k_constexpr_lut_to_dense = {
    .name = "constexpr_lut_to_dense",
    .doc = R"(
Weights out of look-up tables, at compile time. In ios16 there is one table and the indices are packed:
  indices      uint8 [ceil(bits N / 8)]: N indices of `bits` bits, packed from the lowest bit
  lut          [2^bits], int8, uint8, fp16 or fp32, bits being 1, 2, 4, 6 or 8; its dtype is the result's
  shape        uint32 list, the result's shape of N elements
In ios18 each block of the indices has a table, and an entry may be a vector:
  indices      uint1, uint2, uint3, uint4, uint6 or uint8 constant, rank 1 or more
  lut          [*blocks, 2^bits, V]: on every axis the length of blocks divides that of indices
  vector_axis  constant int: the axis along which the V elements of an entry are laid; needed where V > 1
Its parameters stand in the brackets (ios16) or parentheses (ios18).
Opset ios16. Source: coremltools, MIL ops, iOS16 constexpr_ops and iOS18 compression.)",
    .params =
        {{.name = "indices", .constant = true},
         {.name = "lut", .constant = true},
         {.name = "shape", .required = false, .constant = true, .kind = ParamKind::kInts},
         {.name = "vector_axis", .required = false, .constant = true, .kind = ParamKind::kInt}},
    .attributes_are_params = true,
    .infer = Infer,
    .evaluate = Evaluate,
    .since = 16,
};

}  // namespace millwright::mil
