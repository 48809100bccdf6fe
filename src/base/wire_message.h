// A protocol buffer message as bytes, written field by field.
#pragma once

#include <bit>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace millwright {

// Source: https://protobuf.dev/programming-guides/encoding/
class WireMessage {
 public:
  WireMessage& Integer(int field, int64_t value) {
    Tag(field, 0);
    Varint(static_cast<uint64_t>(value));
    return *this;
  }
  WireMessage& Double(int field, double value) {
    Tag(field, 1);
    LittleEndian(std::bit_cast<uint64_t>(value));
    return *this;
  }
  WireMessage& Float(int field, float value) {
    Tag(field, 5);
    LittleEndian(std::bit_cast<uint32_t>(value));
    return *this;
  }
  // A string, or bytes.
  WireMessage& Text(int field, std::string_view value) {
    Tag(field, 2);
    Varint(value.size());
    bytes_ += value;
    return *this;
  }
  WireMessage& Message(int field, const WireMessage& value) { return Text(field, value.bytes_); }
  // Packed repeated fields. (Bytes of little-endian floats are one already, for Text.)
  WireMessage& Doubles(int field, const std::vector<double>& values) {
    WireMessage packed;
    for (const double value : values) packed.LittleEndian(std::bit_cast<uint64_t>(value));
    return Message(field, packed);
  }
  WireMessage& Integers(int field, const std::vector<int64_t>& values) {
    WireMessage packed;
    for (const int64_t value : values) packed.Varint(static_cast<uint64_t>(value));
    return Message(field, packed);
  }

  bool empty() const { return bytes_.empty(); }
  const std::string& bytes() const { return bytes_; }

 private:
  void Tag(int field, int type) {
    Varint(static_cast<uint64_t>(field) * 8 + static_cast<uint64_t>(type));
  }
  void Varint(uint64_t value) {
    for (; value >= 0x80; value >>= 7) bytes_.push_back(static_cast<char>((value & 0x7F) | 0x80));
    bytes_.push_back(static_cast<char>(value));
  }
  template <class T>
  void LittleEndian(T value) {
    for (size_t i = 0; i < sizeof(T); ++i) bytes_.push_back(static_cast<char>(value >> (8 * i)));
  }

  std::string bytes_;
};

}  // namespace millwright
