// Compressed weights: blocks with one scale or look-up table each, and the packed bits of ios16.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string_view>
#include <vector>

#include "mil/ops/rules.h"
#include "mil/ops/walk.h"

namespace millwright::mil {

// What compressed data may be: int4, uint4, int8, uint8, fp16 or fp32.
inline constexpr std::initializer_list<DType> kCompressed = {
    DType::kInt4, DType::kUint4, DType::kInt8, DType::kUint8, DType::kFp16, DType::kFp32};

// Checks that the first axes of `parameter` divide those of `data`, `data.size()` of them: each
// entry belongs to a block of data.
Status CheckBlocks(const Call& call, std::string_view key, const Shape& parameter,
                   const Shape& data);

// The entry, of a row-major tensor of shape `blocks`, to which each element of `data` belongs.
std::vector<int64_t> BlockOfElements(const Shape& blocks, const Shape& data);

// scale * (x - offset), each element with those of its block. `scale` and `offset` are arguments;
// `data` the dense elements.
void ShiftAndScale(const Call& call, const Shape& shape, std::vector<double>* data);
Status CheckShiftAndScale(const Call& call, DType dtype, const Shape& shape);

// Look-up tables: `lut` is [*blocks, 2^bits, vector length]; each index becomes a vector along
// `vector_axis`. The result has the shape of the indices, that axis times the length.
Result<Shape> LookupShape(const Call& call, DType indices, const Shape& shape);
std::vector<double> Lookup(const Call& call, const std::vector<double>& indices,
                           const Shape& shape);

// The elements of `nonzero`, in order, where `mask` is 1, and 0 elsewhere; and the inverse.
// `nonzero` has as many elements as `mask` has ones.
std::vector<double> Spread(const std::vector<double>& nonzero, const std::vector<double>& mask);
std::vector<double> Picked(const std::vector<double>& dense, const std::vector<double>& mask);

// Checks that the argument `nonzero` has an element for each one of the uint1 argument `mask`.
Status CheckSparse(const Call& call, std::string_view nonzero, std::string_view mask);

// The ios16 forms: `count` numbers of `bits` bits, packed into bytes from the lowest bit.
std::vector<double> Unpacked(const std::vector<double>& bytes, int bits, int64_t count);

}  // namespace millwright::mil
