// Takes fields out of a JSON object, remembering the first that is missing or of another type.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "base/result.h"

namespace millwright::telemetry {

class JsonFields {
 public:
  using json = nlohmann::json;

  explicit JsonFields(const json& object) : object_(object) {}

  int64_t Integer(const char* key) {
    const json* value = Find(key, [](const json& v) { return v.is_number_integer(); });
    return value != nullptr ? value->get<int64_t>() : 0;
  }
  double Number(const char* key) {
    const json* value = Find(key, [](const json& v) { return v.is_number() || v.is_null(); });
    return value != nullptr ? ToNumber(*value) : 0.0;
  }
  bool Bool(const char* key) {
    const json* value = Find(key, [](const json& v) { return v.is_boolean(); });
    return value != nullptr && value->get<bool>();
  }
  std::string Text(const char* key) {
    const json* value = Find(key, [](const json& v) { return v.is_string(); });
    return value != nullptr ? value->get<std::string>() : std::string();
  }
  json Any(const char* key) {
    const json* value = Find(key, [](const json&) { return true; });
    return value != nullptr ? *value : json();
  }

  // The same for fields that may be absent.
  bool Has(const char* key) const { return object_.contains(key); }
  int64_t IntegerOr(const char* key, int64_t absent) { return Has(key) ? Integer(key) : absent; }
  double NumberOr(const char* key, double absent) { return Has(key) ? Number(key) : absent; }
  std::string TextOr(const char* key, const char* absent) { return Has(key) ? Text(key) : absent; }
  json AnyOrNull(const char* key) { return Has(key) ? Any(key) : json(); }

  // An object of numbers; may be absent.
  std::map<std::string, double> Numbers(const char* key) {
    std::map<std::string, double> numbers;
    if (!Has(key)) return numbers;
    const json* values = Find(key, [](const json& v) { return v.is_object(); });
    if (values == nullptr) return numbers;
    for (const auto& [name, value] : values->items()) {
      if (!value.is_number() && !value.is_null()) {
        bad_ = key;
      } else {
        numbers[name] = ToNumber(value);
      }
    }
    return numbers;
  }

  // Calls read(fields) for each object of an array.
  template <class Read>
  void Objects(const char* key, const Read& read) {
    const json* values = Find(key, [](const json& v) { return v.is_array(); });
    if (values == nullptr) return;
    for (const json& value : *values) {
      JsonFields fields(value);
      if (value.is_object()) read(fields);
      if (!value.is_object() || fields.bad_ != nullptr) bad_ = key;
    }
  }

  // Calls read(fields) for an object; whether there is one.
  template <class Read>
  bool Object(const char* key, const Read& read) {
    const json* value = Find(key, [](const json& v) { return v.is_object(); });
    if (value == nullptr) return false;
    JsonFields fields(*value);
    read(fields);
    if (fields.bad_ != nullptr) bad_ = key;
    return true;
  }

  std::vector<int64_t> Integers(const char* key) {
    std::vector<int64_t> integers;
    const json* values = Find(key, [](const json& v) { return v.is_array(); });
    if (values == nullptr) return integers;
    for (const json& value : *values) {
      if (!value.is_number_integer()) {
        bad_ = key;
      } else {
        integers.push_back(value.get<int64_t>());
      }
    }
    return integers;
  }

  Status Check() const {
    if (bad_ != nullptr) return BadInput("field '{}' is missing or of another type", bad_);
    return {};
  }

 private:
  template <class Test>
  const json* Find(const char* key, const Test& test) {
    const auto found = object_.find(key);
    if (found != object_.end() && test(*found)) return &*found;
    if (bad_ == nullptr) bad_ = key;
    return nullptr;
  }

  static double ToNumber(const json& value) {
    return value.is_null() ? std::numeric_limits<double>::quiet_NaN() : value.get<double>();
  }

  const json& object_;
  const char* bad_ = nullptr;
};

}  // namespace millwright::telemetry
