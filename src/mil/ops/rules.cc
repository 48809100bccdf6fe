#include "mil/ops/rules.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <numeric>

namespace millwright::mil {

Status CheckDType(const Call& call, std::string_view key, std::initializer_list<DType> allowed) {
  if (!call.Has(key)) return {};
  const DType found = call.type(key).dtype;
  if (std::ranges::find(allowed, found) != allowed.end()) return {};
  std::vector<std::string_view> names;
  for (DType dtype : allowed) names.push_back(DTypeName(dtype));
  return call.Bad("'{}' must be {}, found {}", key, fmt::join(names, " or "),
                  ToString(call.type(key)));
}

Status CheckFloat(const Call& call, std::string_view key) {
  return CheckDType(call, key, {DType::kFp16, DType::kFp32});
}

Status CheckSameDType(const Call& call, std::string_view a, std::string_view b) {
  if (!call.Has(a) || !call.Has(b) || call.type(a).dtype == call.type(b).dtype) return {};
  return call.Bad("'{}' and '{}' must have one dtype, found {} and {}", a, b,
                  ToString(call.type(a)), ToString(call.type(b)));
}

Status CheckIndices(const Call& call, std::string_view key) {
  return CheckDType(call, key,
                    {DType::kInt32, DType::kInt16, DType::kUint16, DType::kInt8, DType::kUint8});
}

Status CheckNewShape(const Call& call, const Shape& shape) {
  int64_t room = kMaxElements - 1;
  for (int64_t dim : shape) {
    if (dim < 1) return call.Bad("the shape {} has an entry below 1", ShapeToString(shape));
    room /= dim;
    if (room == 0) return call.Bad("the shape {} has too many elements", ShapeToString(shape));
  }
  return {};
}

Result<int64_t> NormalizeAxis(const Call& call, int64_t axis, size_t rank) {
  const auto dims = static_cast<int64_t>(rank);
  if (axis < -dims || axis >= dims) {
    return call.Bad("axis {} is outside of a tensor of rank {}", axis, rank);
  }
  return axis < 0 ? axis + dims : axis;
}

Result<std::vector<int64_t>> ReadAxes(const Call& call, std::string_view key, size_t rank) {
  std::vector<int64_t> axes;
  if (!call.Has(key)) {
    axes.resize(rank);
    std::iota(axes.begin(), axes.end(), 0);
    return axes;
  }
  for (int64_t axis : call.Ints(key)) {
    Result<int64_t> normal = NormalizeAxis(call, axis, rank);
    if (!normal) return normal.error();
    axes.push_back(*normal);
  }
  std::ranges::sort(axes);
  if (std::ranges::adjacent_find(axes) != axes.end()) {
    return call.Bad("'{}' names an axis twice: {}", key, ShapeToString(call.Ints(key)));
  }
  return axes;
}

Result<DType> ReadIndexDType(const Call& call, std::string_view key) {
  const std::string name = call.Text(key, "int32");
  if (name == "int32") return DType::kInt32;
  if (name == "uint16") return DType::kUint16;
  return call.Bad("'{}' must be \"int32\" or \"uint16\", found \"{}\"", key, name);
}

Result<Shape> Broadcast(const Call& call, std::initializer_list<std::string_view> keys) {
  Shape shape;
  for (std::string_view key : keys) {
    const std::optional<Shape> next = BroadcastShapes(shape, call.type(key).shape);
    if (!next) {
      return call.Bad("'{}' of shape {} does not broadcast with {}", key,
                      ShapeToString(call.type(key).shape), ShapeToString(shape));
    }
    shape = *next;
  }
  return shape;
}

}  // namespace millwright::mil
