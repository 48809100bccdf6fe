// A protocol buffer message, read from bytes that others wrote.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace millwright {

// The fields of one message, which refer to its bytes; those must outlive it. Nothing is copied and
// nothing inside a field is looked at before it is asked for. Source:
// https://protobuf.dev/programming-guides/encoding/
//
// As the format demands, the last value of a field that is not repeated counts, and a field of
// another wire type than asked for is one that is not known. Messages that come in several pieces
// are not put together (no writer splits them), and groups, which are no longer in use, are
// malformed.
class WireView {
 public:
  // An empty message.
  WireView() = default;
  // Nothing where `bytes` are malformed.
  static std::optional<WireView> Parse(std::string_view bytes);

  // Of type varint: integers of any width, bools, enums. Nothing where it is absent.
  std::optional<int64_t> Integer(int field) const;
  // Of type LEN: a string, bytes or a message.
  std::optional<std::string_view> Text(int field) const;
  // All values of a repeated field of type LEN, in order.
  std::vector<std::string_view> Texts(int field) const;
  // A repeated field of varints, packed or not. Nothing where a packed one is malformed.
  std::optional<std::vector<int64_t>> Integers(int field) const;
  // A repeated field of fp32 (`size` 4) or fp64 (8), packed or not, as little-endian bytes. Nothing
  // where a packed one is no whole number of elements.
  std::optional<std::string> Fixed(int field, size_t size) const;

 private:
  explicit WireView(std::string_view bytes) : bytes_(bytes) {}

  std::string_view bytes_;
};

}  // namespace millwright
