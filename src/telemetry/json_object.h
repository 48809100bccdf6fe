// A JSON object as text, its fields in the order in which they are added.
#pragma once

#include <fmt/format.h>

#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace millwright::telemetry {

class JsonObject {
 public:
  JsonObject& Add(std::string_view key, std::string_view value) { return Raw(key, Quote(value)); }
  JsonObject& Add(std::string_view key, const char* value) {
    return Add(key, std::string_view(value));
  }
  JsonObject& Add(std::string_view key, bool value) { return Raw(key, value ? "true" : "false"); }
  JsonObject& Add(std::string_view key, int64_t value) { return Raw(key, fmt::to_string(value)); }
  JsonObject& Add(std::string_view key, float value) { return Raw(key, Number(value)); }
  JsonObject& Add(std::string_view key, double value) { return Raw(key, Number(value)); }
  JsonObject& Add(std::string_view key, const nlohmann::json& value) {
    return Raw(key, Dump(value));
  }

  // Nothing for an empty map.
  JsonObject& Add(std::string_view key, const std::map<std::string, double>& values) {
    if (values.empty()) return *this;
    std::string object;
    for (const auto& [name, value] : values) {
      object += fmt::format("{}{}:{}", object.empty() ? "" : ",", Quote(name), Number(value));
    }
    return Raw(key, fmt::format("{{{}}}", object));
  }

  // Six digits.
  JsonObject& AddShort(std::string_view key, double value) {
    return Raw(key, std::isfinite(value) ? fmt::format("{:.6g}", value) : "null");
  }

  JsonObject& Add(std::string_view key, const JsonObject& value) {
    return Raw(key, value.ToString());
  }

  // An array of what `print` makes of each value: JSON text.
  template <class Values, class Print>
  JsonObject& AddArray(std::string_view key, const Values& values, const Print& print) {
    std::string array;
    for (const auto& value : values) {
      array += array.empty() ? "" : ",";
      array += print(value);
    }
    return Raw(key, fmt::format("[{}]", array));
  }

  std::string ToString() const { return fmt::format("{{{}}}", text_); }

 private:
  // The shortest decimal that reads back to the same T.
  template <class T>
  static std::string Number(T value) {
    return std::isfinite(value) ? fmt::format("{}", value) : "null";
  }

  // Text that is not UTF-8 (a path, a system's message) must not make the line unreadable.
  static std::string Dump(const nlohmann::json& value);
  static std::string Quote(std::string_view text);

  JsonObject& Raw(std::string_view key, std::string_view value) {
    text_ += fmt::format("{}\"{}\":{}", text_.empty() ? "" : ",", key, value);
    return *this;
  }

  std::string text_;
};

}  // namespace millwright::telemetry
