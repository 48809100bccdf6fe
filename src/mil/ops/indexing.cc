#include "mil/ops/indexing.h"

#include <algorithm>

namespace millwright::mil {

Result<int64_t> ReadIndex(const Call& call, double value, size_t axis, int64_t length) {
  const auto index = static_cast<int64_t>(value);
  if (index >= -length && index < length) return index < 0 ? index + length : index;
  return call.Bad("index {} is outside of axis {} of length {}", index, axis, length);
}

Result<Slices> ReadSlices(const Call& call, std::string_view key) {
  if (Status status = CheckIndices(call, "indices"); !status) return status.error();
  const Shape& data = call.type(key).shape;
  const Shape& indices = call.type("indices").shape;
  const int64_t batch_dims = call.Int("batch_dims", 0);
  const auto rank = static_cast<int64_t>(data.size());
  if (indices.empty()) return call.Bad("'indices' must be a tensor, found a scalar");
  if (batch_dims < 0 || batch_dims >= static_cast<int64_t>(indices.size()) ||
      batch_dims + indices.back() > rank ||
      !std::equal(indices.begin(), indices.begin() + batch_dims, data.begin())) {
    return call.Bad(
        "'indices' {} must name at most {} axes of '{}' {} behind {} batch axes that agree",
        ShapeToString(indices), rank, key, ShapeToString(data), batch_dims);
  }
  return Slices{static_cast<size_t>(batch_dims), static_cast<size_t>(indices.back())};
}

Shape SlicedShape(const Shape& data, const Shape& indices, const Slices& slices) {
  Shape shape(indices.begin(), indices.end() - 1);
  const auto first = static_cast<ptrdiff_t>(slices.batch_dims + slices.depth);
  shape.insert(shape.end(), data.begin() + first, data.end());
  return shape;
}

Result<int64_t> SliceOffset(const Call& call, const Slices& slices, const Shape& data, int64_t i) {
  const Array& indices = call.array("indices");
  const Strides strides = RowMajorStrides(data);
  const Shape& shape = indices.type.shape;
  int64_t offset = 0;
  if (slices.batch_dims > 0) {
    const auto first = static_cast<ptrdiff_t>(slices.batch_dims);
    const int64_t in_batch = NumElements({shape.begin() + first, shape.end() - 1});
    offset = i / in_batch * strides[slices.batch_dims - 1];
  }
  for (size_t j = 0; j < slices.depth; ++j) {
    const size_t axis = slices.batch_dims + j;
    const double value = indices.data[static_cast<size_t>(i) * slices.depth + j];
    const Result<int64_t> index = ReadIndex(call, value, axis, data[axis]);
    if (!index) return index.error();
    offset += *index * strides[axis];
  }
  return offset;
}

Result<Update> ReadUpdate(const Call& call) {
  const std::string mode = call.Text("mode", "add");
  if (mode == "update") return Update{[](double, double update) { return update; }};
  if (mode == "add") return Update{[](double old, double update) { return old + update; }};
  if (mode == "sub") return Update{[](double old, double update) { return old - update; }};
  if (mode == "mul") return Update{[](double old, double update) { return old * update; }};
  if (mode == "div") return Update{[](double old, double update) { return old / update; }};
  if (mode == "max") return Update{[](double old, double update) { return std::max(old, update); }};
  if (mode == "min") return Update{[](double old, double update) { return std::min(old, update); }};
  return call.Bad("'mode' must be update, add, sub, mul, div, max or min, found \"{}\"", mode);
}

std::vector<Param> ScatterParams(bool axis) {
  std::vector<Param> params = {
      {.name = "data"},
      {.name = "indices"},
      {.name = "updates"},
      {.name = "mode", .required = false, .constant = true, .kind = ParamKind::kText},
      {.name = "validate_indices", .required = false, .constant = true, .kind = ParamKind::kBool}};
  if (axis) {
    params.insert(params.begin() + 3,
                  {.name = "axis", .required = false, .constant = true, .kind = ParamKind::kInt});
  }
  return params;
}

Types InferScatter(const Call& call, const Shape& updates) {
  if (Status status = CheckSameDType(call, "data", "updates"); !status) return status.error();
  if (Result<Update> update = ReadUpdate(call); !update) return update.error();
  if (call.type("updates").shape != updates) {
    return call.Bad("'updates' must have shape {}, found {}", ShapeToString(updates),
                    ShapeToString(call.type("updates").shape));
  }
  return std::vector<Type>{call.type("data")};
}

Result<size_t> ReadAlongAxis(const Call& call, std::string_view key) {
  if (Status status = CheckIndices(call, "indices"); !status) return status.error();
  const Shape& data = call.type(key).shape;
  const Shape& indices = call.type("indices").shape;
  const Result<int64_t> axis = NormalizeAxis(call, call.Int("axis", 0), data.size());
  if (!axis) return axis.error();
  Shape expected = data;
  if (indices.size() == data.size()) {
    expected[static_cast<size_t>(*axis)] = indices[static_cast<size_t>(*axis)];
  }
  if (indices == expected) return static_cast<size_t>(*axis);
  return call.Bad("'indices' {} must have the shape of '{}' {} but for axis {}",
                  ShapeToString(indices), key, ShapeToString(data), *axis);
}

}  // namespace millwright::mil
