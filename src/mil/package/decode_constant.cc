#include "mil/package/decode_constant.h"

#include <cstring>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "mil/package/coreml_format.h"

namespace millwright::mil {
namespace {

constexpr int64_t kMostDimensions = 16;

// "a list", ...: what a type is that is no tensor.
const char* KindName(const WireView& type) {
  using namespace coreml::in_value_type;
  if (type.Text(kList)) return "a list";
  if (type.Text(kTuple)) return "a tuple";
  if (type.Text(kDictionary)) return "a dictionary";
  if (type.Text(kState)) return "a state";
  return "of no type";
}

// The length of a dimension.
Result<uint64_t> DecodeDimension(std::string_view bytes) {
  const auto dimension = ParseMessage(bytes);
  if (!dimension) return dimension.error();
  if (!dimension->Text(coreml::in_dimension::kConstant)) {
    return BadInput("a dimension of its shape is flexible");
  }
  const auto constant = Submessage(*dimension, coreml::in_dimension::kConstant);
  if (!constant) return constant.error();
  const int64_t size = constant->Integer(coreml::in_dimension::kSize).value_or(0);
  if (size == 0) return BadInput("a dimension of its shape is 0");
  return static_cast<uint64_t>(size);
}

Result<Type> DecodeTensorType(const WireView& tensor) {
  using namespace coreml::in_tensor_type;
  const int64_t number = tensor.Integer(kDataType).value_or(0);
  const SpecType* spec = FindSpecType(number);
  const auto dtype = spec == nullptr ? std::nullopt : DTypeFromName(spec->name);
  if (!dtype) return BadInput("its element type, number {}, is not known here", number);
  const auto dimensions = tensor.Texts(kDimensions);
  const int64_t rank = tensor.Integer(kRank).value_or(0);
  if (rank != static_cast<int64_t>(dimensions.size()) || rank > kMostDimensions) {
    return BadInput("rank {} and {} dimensions; expected the same, at most {}", rank,
                    dimensions.size(), kMostDimensions);
  }
  Type type{*dtype, {}};
  uint64_t room = kMaxElements;
  for (const std::string_view dimension : dimensions) {
    const auto size = DecodeDimension(dimension);
    if (!size) return size.error();
    room /= *size;
    if (room == 0) return BadInput("it has too many elements");
    type.shape.push_back(static_cast<int64_t>(*size));
  }
  if (type.dtype == DType::kString && !type.shape.empty()) {
    return BadInput("it is a tensor of strings; strings are scalars here");
  }
  return type;
}

std::vector<std::byte> Bytes(std::string_view text) {
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

// Integers as elements of `dtype`, which may be narrower.
std::vector<std::byte> Narrow(const std::vector<int64_t>& values, DType dtype) {
  const size_t size = DTypeSize(dtype);
  std::vector<std::byte> bytes(values.size() * size);
  for (size_t i = 0; i < values.size(); ++i) {
    if (size == sizeof(int64_t)) {
      std::memcpy(bytes.data() + i * size, &values[i], size);  // a double does not hold all of them
    } else {
      StoreElement(dtype, bytes.data(), i, static_cast<double>(values[i]));
    }
  }
  return bytes;
}

// The elements in the field of a TensorValue where they belong; nothing where they do not stand
// there.
std::optional<std::vector<std::byte>> DecodeElements(const WireView& tensor, DType dtype) {
  const ImmediateField field = FindSpecType(dtype)->field;
  const auto message = tensor.Text(static_cast<int>(field));
  const auto view = message ? WireView::Parse(*message) : std::nullopt;
  if (!view) return std::nullopt;
  switch (field) {
    case ImmediateField::kStrings: {
      const auto texts = view->Texts(kImmediateValues);
      if (texts.size() != 1) return std::nullopt;
      return Bytes(texts.front());
    }
    case ImmediateField::kBytes:
      return Bytes(view->Text(kImmediateValues).value_or(""));
    case ImmediateField::kFloats:
    case ImmediateField::kDoubles: {
      const auto bytes = view->Fixed(kImmediateValues, DTypeSize(dtype));
      if (!bytes) return std::nullopt;
      return Bytes(*bytes);
    }
    case ImmediateField::kBools:
    case ImmediateField::kInts:
    case ImmediateField::kLongInts: {
      auto values = view->Integers(kImmediateValues);
      if (!values) return std::nullopt;
      if (field == ImmediateField::kBools) {
        for (int64_t& value : *values) value = value != 0 ? 1 : 0;
      }
      return Narrow(*values, dtype);
    }
  }
  return std::nullopt;
}

Result<Constant> DecodeImmediate(const WireView& from, Type type) {
  const auto tensor = Submessage(from, coreml::in_value::kTensor);
  if (!tensor) return tensor.error();
  auto bytes = DecodeElements(*tensor, type.dtype);
  if (!bytes) return BadInput("its elements are not {}", DTypeName(type.dtype));
  if (type.dtype != DType::kString && bytes->size() != type.bytes()) {
    return BadInput("{} bytes of elements, {} has {}", bytes->size(), ToString(type), type.bytes());
  }
  return Constant::FromBytes(std::move(type), *std::move(bytes));
}

}  // namespace

Result<WireView> ParseMessage(std::string_view bytes) {
  const auto view = WireView::Parse(bytes);
  if (!view) return BadInput("not a Core ML model: the protocol buffer cannot be read");
  return *view;
}

Result<WireView> Submessage(const WireView& from, int field) {
  return ParseMessage(from.Text(field).value_or(""));
}

std::string TextOf(const WireView& from, int field) {
  return std::string(from.Text(field).value_or(""));
}

Result<Type> DecodeType(const WireView& from, int field) {
  const auto type = Submessage(from, field);
  if (!type) return type.error();
  if (!type->Text(coreml::in_value_type::kTensor)) {
    return BadInput("it is {}; only tensors of a fixed shape have a form here", KindName(*type));
  }
  const auto tensor = Submessage(*type, coreml::in_value_type::kTensor);
  if (!tensor) return tensor.error();
  return DecodeTensorType(*tensor);
}

Result<Constant> DecodeConstant(std::string_view bytes) {
  using namespace coreml;
  const auto value = ParseMessage(bytes);
  if (!value) return value.error();
  auto type = DecodeType(*value, in_value::kType);
  if (!type) return type.error();
  if (value->Text(in_value::kBlobFile)) {
    const auto blob = Submessage(*value, in_value::kBlobFile);
    if (!blob) return blob.error();
    const int64_t offset = blob->Integer(in_blob_file::kOffset).value_or(0);
    return Constant::Blob(*std::move(type),
                          {TextOf(*blob, in_blob_file::kFileName), static_cast<uint64_t>(offset)});
  }
  if (!value->Text(in_value::kImmediate)) return BadInput("it has no value");
  const auto immediate = Submessage(*value, in_value::kImmediate);
  if (!immediate) return immediate.error();
  return DecodeImmediate(*immediate, *std::move(type));
}

}  // namespace millwright::mil
