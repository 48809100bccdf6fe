#include "tests/mil/coreml_schema.h"

#include <fmt/format.h>

#include <cstdint>
#include <map>
#include <optional>
#include <set>

namespace millwright {
namespace {

enum class Kind { kInteger, kText, kMessage, kPackedIntegers, kPacked32, kPacked64 };

struct Field {
  std::string_view name;
  Kind kind;
  std::string_view message;  // of kMessage
  bool repeated = false;
  std::string_view oneof;  // members of one exclude each other
};

using Message = std::map<uint64_t, Field>;

// An entry of a map from strings.
Message Entry(std::string_view value) {
  return {{1, {"key", Kind::kText}}, {2, {"value", Kind::kMessage, value}}};
}

// Source: coremltools 9.0, mlmodel/format/{Model,FeatureTypes,MIL}.proto, those messages that an ML
// Program of tensors has.
const std::map<std::string_view, Message>& Schema() {
  constexpr auto kInteger = Kind::kInteger;
  constexpr auto kText = Kind::kText;
  constexpr auto kMessage = Kind::kMessage;
  static const std::map<std::string_view, Message> schema = {
      {"Model",
       {{1, {"specificationVersion", kInteger}},
        {2, {"description", kMessage, "ModelDescription"}},
        {502, {"mlProgram", kMessage, "Program"}}}},
      {"ModelDescription",
       {{1, {"input", kMessage, "FeatureDescription", true}},
        {10, {"output", kMessage, "FeatureDescription", true}},
        {20, {"functions", kMessage, "FunctionDescription", true}},
        {21, {"defaultFunctionName", kText}}}},
      {"FunctionDescription",
       {{1, {"name", kText}},
        {2, {"input", kMessage, "FeatureDescription", true}},
        {3, {"output", kMessage, "FeatureDescription", true}}}},
      {"FeatureDescription", {{1, {"name", kText}}, {3, {"type", kMessage, "FeatureType"}}}},
      {"FeatureType", {{5, {"multiArrayType", kMessage, "ArrayFeatureType"}}}},
      {"ArrayFeatureType", {{1, {"shape", Kind::kPackedIntegers}}, {2, {"dataType", kInteger}}}},
      {"Program",
       {{1, {"version", kInteger}}, {2, {"functions", kMessage, "FunctionEntry", true}}}},
      {"FunctionEntry", Entry("Function")},
      {"Function",
       {{1, {"inputs", kMessage, "NamedValueType", true}},
        {2, {"opset", kText}},
        {3, {"block_specializations", kMessage, "BlockEntry", true}}}},
      {"BlockEntry", Entry("Block")},
      {"Block",
       {{2, {"outputs", kText, "", true}}, {3, {"operations", kMessage, "Operation", true}}}},
      {"Operation",
       {{1, {"type", kText}},
        {2, {"inputs", kMessage, "ArgumentEntry", true}},
        {3, {"outputs", kMessage, "NamedValueType", true}},
        {5, {"attributes", kMessage, "ValueEntry", true}}}},
      {"ArgumentEntry", Entry("Argument")},
      {"ValueEntry", Entry("Value")},
      {"Argument", {{1, {"arguments", kMessage, "Binding", true}}}},
      {"Binding",
       {{1, {"name", kText, "", false, "binding"}},
        {2, {"value", kMessage, "Value", false, "binding"}}}},
      {"NamedValueType", {{1, {"name", kText}}, {2, {"type", kMessage, "ValueType"}}}},
      {"ValueType", {{1, {"tensorType", kMessage, "TensorType"}}}},
      {"TensorType",
       {{1, {"dataType", kInteger}},
        {2, {"rank", kInteger}},
        {3, {"dimensions", kMessage, "Dimension", true}}}},
      {"Dimension", {{1, {"constant", kMessage, "ConstantDimension"}}}},
      {"ConstantDimension", {{1, {"size", kInteger}}}},
      {"Value",
       {{2, {"type", kMessage, "ValueType"}},
        {3, {"immediateValue", kMessage, "ImmediateValue", false, "value"}},
        {5, {"blobFileValue", kMessage, "BlobFileValue", false, "value"}}}},
      {"ImmediateValue", {{1, {"tensor", kMessage, "TensorValue"}}}},
      {"BlobFileValue", {{1, {"fileName", kText}}, {2, {"offset", kInteger}}}},
      {"TensorValue",
       {{1, {"floats", kMessage, "Floats", false, "value"}},
        {2, {"ints", kMessage, "Ints", false, "value"}},
        {3, {"bools", kMessage, "Ints", false, "value"}},
        {4, {"strings", kMessage, "Strings", false, "value"}},
        {5, {"longInts", kMessage, "Ints", false, "value"}},
        {6, {"doubles", kMessage, "Doubles", false, "value"}},
        {7, {"bytes", kMessage, "Bytes", false, "value"}}}},
      {"Floats", {{1, {"values", Kind::kPacked32}}}},
      {"Doubles", {{1, {"values", Kind::kPacked64}}}},
      {"Ints", {{1, {"values", Kind::kPackedIntegers}}}},
      {"Strings", {{1, {"values", kText, "", true}}}},
      {"Bytes", {{1, {"values", kText}}}},
  };
  return schema;
}

// The next varint of `bytes`, which it leaves.
std::optional<uint64_t> TakeVarint(std::string_view* bytes) {
  uint64_t value = 0;
  for (int shift = 0; shift < 64 && !bytes->empty(); shift += 7) {
    const auto byte = static_cast<unsigned char>(bytes->front());
    bytes->remove_prefix(1);
    value |= uint64_t{byte & 0x7FU} << shift;
    if (byte < 0x80) return value;
  }
  return std::nullopt;
}

bool AreVarints(std::string_view bytes) {
  while (!bytes.empty()) {
    if (!TakeVarint(&bytes)) return false;
  }
  return true;
}

std::string Problem(std::string_view name, std::string_view bytes);

// What is wrong with the `payload` of a field.
std::string FieldProblem(const Field& field, std::string_view payload) {
  switch (field.kind) {
    case Kind::kMessage:
      return Problem(field.message, payload);
    case Kind::kPackedIntegers:
      return AreVarints(payload) ? "" : ": not packed integers";
    case Kind::kPacked32:
      return payload.size() % 4 == 0 ? "" : ": not packed floats";
    case Kind::kPacked64:
      return payload.size() % 8 == 0 ? "" : ": not packed doubles";
    case Kind::kInteger:
    case Kind::kText:
      break;
  }
  return "";
}

std::string Problem(std::string_view name, std::string_view bytes) {
  constexpr uint64_t kVarint = 0, kLengthDelimited = 2;
  const Message& message = Schema().at(name);
  std::set<std::string_view> seen;
  while (!bytes.empty()) {
    const auto tag = TakeVarint(&bytes);
    if (!tag) return ": the bytes end inside a field";
    const auto it = message.find(*tag >> 3);
    if (it == message.end()) return fmt::format(": {} has no field {}", name, *tag >> 3);
    const Field& field = it->second;
    const std::string path = fmt::format(".{}", field.name);
    if ((*tag & 7) != (field.kind == Kind::kInteger ? kVarint : kLengthDelimited)) {
      return path + ": another wire type";
    }
    const bool first = seen.insert(field.oneof.empty() ? field.name : field.oneof).second;
    if (!first && !field.repeated) return path + ": a second value";
    const auto number = TakeVarint(&bytes);
    if (!number) return path + ": the bytes end inside a field";
    if (field.kind == Kind::kInteger) continue;
    if (*number > bytes.size()) return path + ": longer than what is left";
    const std::string problem = FieldProblem(field, bytes.substr(0, *number));
    if (!problem.empty()) return path + problem;
    bytes.remove_prefix(*number);
  }
  return "";
}

}  // namespace

std::string CoreMlSchemaProblem(std::string_view model) { return Problem("Model", model); }

}  // namespace millwright
