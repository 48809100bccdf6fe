#include "mil/ops/compressed.h"

#include <algorithm>
#include <cmath>

namespace millwright::mil {
namespace {

int64_t VectorLength(const Call& call) { return call.type("lut").shape.back(); }

Result<size_t> VectorAxis(const Call& call, size_t rank) {
  if (!call.Has("vector_axis") && VectorLength(call) > 1) {
    return call.Bad("'vector_axis' is missing, the table holds vectors of {}", VectorLength(call));
  }
  const Result<int64_t> axis = NormalizeAxis(call, call.Int("vector_axis", 0), rank);
  if (!axis) return axis.error();
  return static_cast<size_t>(*axis);
}

}  // namespace

Status CheckBlocks(const Call& call, std::string_view key, const Shape& parameter,
                   const Shape& data) {
  bool fits = !data.empty() && parameter.size() >= data.size();
  for (size_t axis = 0; fits && axis < data.size(); ++axis) {
    fits = data[axis] % parameter[axis] == 0;
  }
  if (fits) return {};
  return call.Bad("the axes of '{}' {} do not divide those of the data {} into blocks", key,
                  ShapeToString(parameter), ShapeToString(data));
}

std::vector<int64_t> BlockOfElements(const Shape& blocks, const Shape& data) {
  const Strides of_data = RowMajorStrides(data);
  const Strides of_blocks = RowMajorStrides(blocks);
  std::vector<int64_t> block(static_cast<size_t>(NumElements(data)), 0);
  for (size_t i = 0; i < block.size(); ++i) {
    for (size_t axis = 0; axis < data.size(); ++axis) {
      const int64_t index = static_cast<int64_t>(i) / of_data[axis] % data[axis];
      block[i] += index / (data[axis] / blocks[axis]) * of_blocks[axis];
    }
  }
  return block;
}

Status CheckShiftAndScale(const Call& call, DType dtype, const Shape& shape) {
  if (Status status = CheckFloat(call, "scale"); !status) return status;
  const Shape& scale = call.type("scale").shape;
  if (scale.size() != shape.size()) {
    return call.Bad("'scale' {} must have the rank of the data {}", ShapeToString(scale),
                    ShapeToString(shape));
  }
  if (Status status = CheckBlocks(call, "scale", scale, shape); !status) return status;
  if (!call.Has("offset")) return {};
  const Type& offset = call.type("offset");
  if (offset.shape == scale && (IsFloat(offset.dtype) || offset.dtype == dtype)) return {};
  return call.Bad("'offset' must have shape {} and be a float or {}, found {}",
                  ShapeToString(scale), DTypeName(dtype), ToString(offset));
}

void ShiftAndScale(const Call& call, const Shape& shape, std::vector<double>* data) {
  const Array& scale = call.array("scale");
  const double* offset = call.Has("offset") ? call.array("offset").data.data() : nullptr;
  const std::vector<int64_t> block = BlockOfElements(scale.type.shape, shape);
  for (size_t i = 0; i < data->size(); ++i) {
    const int64_t at = block[i];
    const double shifted = (*data)[i] - (offset != nullptr ? offset[at] : 0.0);
    (*data)[i] = scale.data[static_cast<size_t>(at)] * shifted;
  }
}

Result<Shape> LookupShape(const Call& call, DType indices, const Shape& shape) {
  const Status status =
      CheckDType(call, "lut", {DType::kInt8, DType::kUint8, DType::kFp16, DType::kFp32});
  if (!status) return status.error();
  const Shape& lut = call.type("lut").shape;
  const auto bits = static_cast<int64_t>(DTypeBits(indices));
  if (shape.empty() || lut.size() != shape.size() + 2 || lut.end()[-2] != int64_t{1} << bits) {
    return call.Bad(
        "'lut' {} must have two axes more than the indices {}, the first of length {} for {}",
        ShapeToString(lut), ShapeToString(shape), int64_t{1} << bits, DTypeName(indices));
  }
  if (Status blocks = CheckBlocks(call, "lut", lut, shape); !blocks) return blocks.error();
  const Result<size_t> axis = VectorAxis(call, shape.size());
  if (!axis) return axis.error();
  Shape result = shape;
  if (result[*axis] > kMaxElements / lut.back()) return call.Bad("'lut' holds too long vectors");
  result[*axis] *= lut.back();
  if (Status fits = CheckNewShape(call, result); !fits) return fits.error();
  return result;
}

std::vector<double> Lookup(const Call& call, const std::vector<double>& indices,
                           const Shape& shape) {
  const Array& lut = call.array("lut");
  const int64_t length = lut.type.shape.back();
  const int64_t entries = lut.type.shape.end()[-2];
  const auto axis = static_cast<size_t>(*VectorAxis(call, shape.size()));
  const AxisSplit split = SplitAt(shape, axis);
  const Shape blocks(lut.type.shape.begin(), lut.type.shape.end() - 2);
  const std::vector<int64_t> block = BlockOfElements(blocks, shape);
  std::vector<double> dense(indices.size() * static_cast<size_t>(length));
  for (size_t i = 0; i < indices.size(); ++i) {
    const auto entry = block[i] * entries + static_cast<int64_t>(indices[i]);
    const auto at = static_cast<int64_t>(i);
    // Behind `at / inner` indices along the axis lie as many vectors.
    const int64_t to = at / split.inner * length * split.inner + at % split.inner;
    for (int64_t j = 0; j < length; ++j) {
      dense[static_cast<size_t>(to + j * split.inner)] =
          lut.data[static_cast<size_t>(entry * length + j)];
    }
  }
  return dense;
}

std::vector<double> Spread(const std::vector<double>& nonzero, const std::vector<double>& mask) {
  std::vector<double> dense(mask.size(), 0.0);
  auto next = nonzero.begin();
  for (size_t i = 0; i < mask.size(); ++i) {
    if (mask[i] != 0.0) dense[i] = *next++;
  }
  return dense;
}

std::vector<double> Picked(const std::vector<double>& dense, const std::vector<double>& mask) {
  std::vector<double> nonzero;
  for (size_t i = 0; i < mask.size(); ++i) {
    if (mask[i] != 0.0) nonzero.push_back(dense[i]);
  }
  return nonzero;
}

Status CheckSparse(const Call& call, std::string_view nonzero, std::string_view mask) {
  if (Status status = CheckDType(call, mask, {DType::kUint1}); !status) return status;
  if (call.type(nonzero).shape.size() != 1) {
    return call.Bad("'{}' must have rank 1, found {}", nonzero, ToString(call.type(nonzero)));
  }
  const Array* bits = call.Find(mask)->arrays.front();
  if (bits == nullptr) return {};
  const auto ones = std::ranges::count(bits->data, 1.0);
  if (ones == call.type(nonzero).shape[0]) return {};
  return call.Bad("'{}' has {} ones, '{}' has {} elements", mask, ones, nonzero,
                  call.type(nonzero).shape[0]);
}

std::vector<double> Unpacked(const std::vector<double>& bytes, int bits, int64_t count) {
  std::vector<double> numbers(static_cast<size_t>(count));
  for (size_t i = 0; i < numbers.size(); ++i) {
    unsigned number = 0;
    for (int bit = 0; bit < bits; ++bit) {
      const size_t at = i * static_cast<size_t>(bits) + static_cast<size_t>(bit);
      const unsigned byte = static_cast<unsigned>(bytes[at / 8]);
      number |= (byte >> at % 8 & 1u) << bit;
    }
    numbers[i] = number;
  }
  return numbers;
}

}  // namespace millwright::mil
