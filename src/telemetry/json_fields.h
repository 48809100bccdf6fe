// Takes fields out of a JSON object, remembering the first that is missing or of another type.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "telemetry/json_tape.h"

namespace millwright::telemetry {

class JsonFields {
 public:
  explicit JsonFields(const JsonValue& object) : object_(object) {}

  int64_t Integer(const char* key) { return Get(key, ToInteger); }
  // null is NaN.
  double Number(const char* key) { return Get(key, ToNumber); }
  bool Bool(const char* key) { return Get(key, ToBool); }
  std::string Text(const char* key) { return Get(key, ToText); }
  nlohmann::json Any(const char* key) { return Get(key, ToTree); }

  // The same for fields that may be absent.
  bool Has(const char* key) const { return object_.Find(key).has_value(); }
  std::optional<double> NumberIfAny(const char* key) { return GetIfAny(key, ToNumber); }
  int64_t IntegerOr(const char* key, int64_t absent) {
    return GetIfAny(key, ToInteger).value_or(absent);
  }
  double NumberOr(const char* key, double absent) { return NumberIfAny(key).value_or(absent); }
  std::string TextOr(const char* key, const char* absent) {
    return GetIfAny(key, ToText).value_or(absent);
  }
  nlohmann::json AnyOrNull(const char* key) {
    return GetIfAny(key, ToTree).value_or(nlohmann::json());
  }

  // An object of numbers; may be absent.
  std::map<std::string, double> Numbers(const char* key) {
    std::map<std::string, double> numbers;
    const auto object = object_.Find(key);
    if (!object) return numbers;
    if (object->kind() != JsonKind::kObject) Blame(key);
    object->EachField([&](const JsonValue& name, const JsonValue& value) {
      const auto number = ToNumber(value);
      if (!number) Blame(key);
      // Names were written in order.
      numbers.insert_or_assign(numbers.end(), *name.String(), number.value_or(0));
    });
    return numbers;
  }

  // Calls read(fields) for each object of an array.
  template <class Read>
  void Objects(const char* key, const Read& read) {
    Array(key).EachElement([&](const JsonValue& value) { ReadInto(key, value, read); });
  }

  // Calls read(fields) for an object.
  template <class Read>
  void Object(const char* key, const Read& read) {
    const auto value = object_.Find(key);
    if (value) ReadInto(key, *value, read);
    if (!value) Blame(key);
  }

  std::vector<int64_t> Integers(const char* key) {
    std::vector<int64_t> integers;
    const JsonValue array = Array(key);
    integers.reserve(array.CountWithin());
    array.EachElement([&](const JsonValue& value) {
      const auto integer = value.Integer();
      if (!integer) Blame(key);
      integers.push_back(integer.value_or(0));
    });
    return integers;
  }

  Status Check() const {
    if (bad_ != nullptr) return BadInput("field '{}' is missing or of another type", bad_);
    return {};
  }

 private:
  void Blame(const char* key) {
    if (bad_ == nullptr) bad_ = key;
  }

  // What `convert` makes of a field; nothing where there is none, the default where it is of
  // another type.
  template <class T>
  std::optional<T> GetIfAny(const char* key, std::optional<T> (*convert)(const JsonValue&)) {
    const auto value = object_.Find(key);
    if (!value) return std::nullopt;
    auto converted = convert(*value);
    if (converted) return converted;
    Blame(key);
    return T();
  }
  template <class T>
  T Get(const char* key, std::optional<T> (*convert)(const JsonValue&)) {
    auto value = GetIfAny(key, convert);
    if (!value) Blame(key);
    return value ? *std::move(value) : T();
  }

  // The value itself, so that there is something to go through, where it is no array.
  JsonValue Array(const char* key) {
    const auto value = object_.Find(key);
    if (!value || value->kind() != JsonKind::kArray) Blame(key);
    return value.value_or(object_);
  }

  template <class Read>
  void ReadInto(const char* key, const JsonValue& value, const Read& read) {
    JsonFields fields(value);
    if (value.kind() == JsonKind::kObject) read(fields);
    if (value.kind() != JsonKind::kObject || fields.bad_ != nullptr) Blame(key);
  }

  static std::optional<int64_t> ToInteger(const JsonValue& value) { return value.Integer(); }
  static std::optional<bool> ToBool(const JsonValue& value) { return value.Bool(); }
  static std::optional<std::string> ToText(const JsonValue& value) { return value.String(); }
  static std::optional<double> ToNumber(const JsonValue& value) {
    if (value.kind() == JsonKind::kNull) return std::numeric_limits<double>::quiet_NaN();
    return value.Number();
  }
  static std::optional<nlohmann::json> ToTree(const JsonValue& value) {
    // Of a string, the text is without its quotes.
    if (value.kind() == JsonKind::kString) return *value.String();
    auto tree = nlohmann::json::parse(value.text(), nullptr, false);
    return tree.is_discarded() ? std::nullopt : std::optional(std::move(tree));
  }

  JsonValue object_;
  const char* bad_ = nullptr;
};

}  // namespace millwright::telemetry
