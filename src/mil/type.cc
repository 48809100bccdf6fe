#include "mil/type.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>

namespace millwright::mil {

std::string ToString(const Type& type) {
  if (type.shape.empty()) return std::string(DTypeName(type.dtype));
  return fmt::format("tensor<{}, {}>", DTypeName(type.dtype), ShapeToString(type.shape));
}

Constant Constant::Scalar(DType dtype, double value) {
  return Tensor(Type{dtype, {}}, std::span(&value, 1));
}

Constant Constant::Bool(bool value) { return Scalar(DType::kBool, value ? 1.0 : 0.0); }

Constant Constant::String(std::string value) {
  const auto characters = std::as_bytes(std::span(value));
  return FromBytes(Type{DType::kString, {}}, {characters.begin(), characters.end()});
}

Constant Constant::Ints(std::span<const int64_t> values) {
  const std::vector<double> wide(values.begin(), values.end());
  return Tensor(Type{DType::kInt32, {static_cast<int64_t>(values.size())}}, wide);
}

Constant Constant::Tensor(Type type, std::span<const double> values) {
  assert(static_cast<int64_t>(values.size()) == type.elements());
  Constant constant;
  constant.bytes_.resize(type.bytes());
  for (size_t i = 0; i < values.size(); ++i) {
    StoreElement(type.dtype, constant.bytes_.data(), i, values[i]);
  }
  constant.type_ = std::move(type);
  return constant;
}

Constant Constant::Blob(Type type, BlobRef ref) {
  Constant constant;
  constant.type_ = std::move(type);
  constant.blob_ = std::move(ref);
  return constant;
}

Constant Constant::FromBytes(Type type, std::vector<std::byte> bytes) {
  assert(type.dtype == DType::kString || bytes.size() == type.bytes());
  Constant constant;
  constant.type_ = std::move(type);
  constant.bytes_ = std::move(bytes);
  return constant;
}

double Constant::at(size_t index) const { return LoadElement(type_.dtype, bytes_.data(), index); }

std::string Constant::as_string() const {
  return {reinterpret_cast<const char*>(bytes_.data()), bytes_.size()};
}

std::vector<int64_t> Constant::ints() const {
  const bool numbers = !blob_ && type_.dtype != DType::kString;
  std::vector<int64_t> values(numbers ? static_cast<size_t>(type_.elements()) : 0);
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<int64_t>(at(i));
  return values;
}

}  // namespace millwright::mil
