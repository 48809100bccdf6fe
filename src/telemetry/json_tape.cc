#include "telemetry/json_tape.h"

#include <charconv>
#include <limits>
#include <nlohmann/json.hpp>

#include "telemetry/json_scanner.h"

namespace millwright::telemetry {
namespace {

// About as many bytes as a value takes with its name; a guess that saves copying nodes.
constexpr size_t kBytesAValue = 8;

// A template, as there are standard libraries whose from_chars knows no floats. The other way is
// right and slow; it is also taken by what is very large or very small.
template <class Float>
std::optional<Float> ToFloat(std::string_view text) {
  if constexpr (requires(const char* c, Float& f) { std::from_chars(c, c, f); }) {
    Float value{};
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
    if (parsed.ec == std::errc()) return value;
  }
  const auto value = nlohmann::json::parse(text, nullptr, false);
  if (value.is_discarded()) return std::nullopt;
  return value.get<Float>();
}

}  // namespace

Result<JsonTape> JsonTape::Read(std::string_view text) {
  if (text.size() > std::numeric_limits<uint32_t>::max()) return BadInput("more than 4 GB of JSON");
  JsonTape tape(text);
  tape.nodes_.reserve(text.size() / kBytesAValue + 1);
  if (!JsonScanner(tape).Scan()) return BadInput("no JSON");
  return tape;
}

JsonValue JsonTape::root() const { return {*this, 0}; }

std::optional<bool> JsonValue::Bool() const {
  if (kind() != JsonKind::kBool) return std::nullopt;
  return text() == "true";
}

std::optional<int64_t> JsonValue::Integer() const {
  if (kind() != JsonKind::kNumber) return std::nullopt;
  const std::string_view digits = text();
  int64_t value = 0;
  const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  const bool whole = parsed.ec == std::errc() && parsed.ptr == digits.data() + digits.size();
  return whole ? std::optional(value) : std::nullopt;
}

std::optional<double> JsonValue::Number() const {
  if (kind() != JsonKind::kNumber) return std::nullopt;
  return ToFloat<double>(text());
}

std::optional<std::string> JsonValue::String() const {
  if (kind() != JsonKind::kString) return std::nullopt;
  if (node().plain) return std::string(text());
  const auto quoted = tape_->text_.substr(node().begin - 1, node().size + 2);
  return nlohmann::json::parse(quoted).get<std::string>();
}

bool JsonValue::Is(std::string_view string) const {
  return node().plain ? text() == string : String() == string;
}

std::optional<JsonValue> JsonValue::Find(std::string_view name) const {
  if (kind() != JsonKind::kObject) return std::nullopt;
  for (uint32_t at = at_ + 1; at < node().next; at = tape_->nodes_[at + 1].next) {
    if (JsonValue(*tape_, at).Is(name)) return JsonValue(*tape_, at + 1);
  }
  return std::nullopt;
}

}  // namespace millwright::telemetry
