// JSON taken apart where it lies. A file of metrics has hundreds of thousands of lines, and most of
// the time of reading one into a tree of maps and strings goes into making and freeing these.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace millwright::telemetry {

enum class JsonKind : uint8_t { kNull, kBool, kNumber, kString, kArray, kObject };

class JsonValue;

// A text and where its values lie in it.
class JsonTape {
 public:
  // Values within values; no event comes near.
  static constexpr int kDeepest = 64;

  // Bad input unless `text`, which must outlive the tape, is one JSON value (RFC 8259) and space.
  static Result<JsonTape> Read(std::string_view text);

  JsonValue root() const;

 private:
  friend class JsonScanner;
  friend class JsonValue;

  struct Node {
    JsonKind kind = JsonKind::kNull;
    bool plain = false;            // a string: ASCII without escapes
    uint32_t begin = 0, size = 0;  // in the text; of a string, without its quotes
    uint32_t next = 0;             // the node behind this value and all that is in it
  };

  explicit JsonTape(std::string_view text) : text_(text) {}

  std::string_view text_;
  std::vector<Node> nodes_;  // a value before those in it; of a field, its name before its value
};

// A value on a tape, which must outlive it. What is asked of a value of another kind is nothing.
class JsonValue {
 public:
  JsonKind kind() const { return node().kind; }
  // As it stands in the text.
  std::string_view text() const { return tape_->text_.substr(node().begin, node().size); }

  std::optional<bool> Bool() const;
  // A number without fraction and exponent, if 64 bits hold it.
  std::optional<int64_t> Integer() const;
  // Nothing for one that is beyond the largest double.
  std::optional<double> Number() const;
  std::optional<std::string> String() const;

  // The value of a field of an object; the first of several with this name.
  std::optional<JsonValue> Find(std::string_view name) const;

  // How many values, names among them, are in this one and in those in it.
  size_t CountWithin() const { return node().next - at_ - 1; }

  // Calls take(value) for each of an array's values.
  template <class Take>
  void EachElement(const Take& take) const {
    if (kind() != JsonKind::kArray) return;
    for (uint32_t at = at_ + 1; at < node().next; at = tape_->nodes_[at].next) {
      take(JsonValue(*tape_, at));
    }
  }
  // Calls take(name, value) for each of an object's fields; both are JsonValues.
  template <class Take>
  void EachField(const Take& take) const {
    if (kind() != JsonKind::kObject) return;
    for (uint32_t at = at_ + 1; at < node().next; at = tape_->nodes_[at + 1].next) {
      take(JsonValue(*tape_, at), JsonValue(*tape_, at + 1));
    }
  }

 private:
  friend class JsonTape;

  JsonValue(const JsonTape& tape, uint32_t at) : tape_(&tape), at_(at) {}
  const JsonTape::Node& node() const { return tape_->nodes_[at_]; }
  bool Is(std::string_view string) const;

  const JsonTape* tape_;
  uint32_t at_;
};

}  // namespace millwright::telemetry
