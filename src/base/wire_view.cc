#include "base/wire_view.h"

namespace millwright {
namespace {

constexpr uint64_t kMostField = (uint64_t{1} << 29) - 1;
constexpr int kMostShift = 63;  // of the tenth and last byte of a varint

enum class WireType { kVarint = 0, kFixed64 = 1, kText = 2, kFixed32 = 5 };

struct WireField {
  int number = 0;
  WireType type = WireType::kVarint;
  uint64_t integer = 0;    // of a varint
  std::string_view bytes;  // of all others
};

// Reads from the front of what is left; after something malformed, nothing more.
class WireCursor {
 public:
  explicit WireCursor(std::string_view bytes) : left_(bytes) {}

  bool AtEnd() const { return left_.empty(); }

  std::optional<uint64_t> Varint() {
    uint64_t value = 0;
    for (int shift = 0; shift <= kMostShift && !left_.empty(); shift += 7) {
      const auto byte = static_cast<uint8_t>(left_.front());
      left_.remove_prefix(1);
      value |= static_cast<uint64_t>(byte & 0x7F) << shift;
      if (byte < 0x80) return value;
    }
    return std::nullopt;
  }

  std::optional<WireField> Field() {
    const auto tag = Varint();
    if (!tag || *tag >> 3 == 0 || *tag >> 3 > kMostField) return std::nullopt;
    WireField field{.number = static_cast<int>(*tag >> 3)};
    switch (*tag & 7) {
      case 0: {
        const auto value = Varint();
        if (!value) return std::nullopt;
        field.integer = *value;
        return field;
      }
      case 1:
        return WithBytes(field, WireType::kFixed64, sizeof(uint64_t));
      case 2: {
        const auto size = Varint();
        return size ? WithBytes(field, WireType::kText, *size) : std::nullopt;
      }
      case 5:
        return WithBytes(field, WireType::kFixed32, sizeof(uint32_t));
      default:
        return std::nullopt;
    }
  }

 private:
  std::optional<WireField> WithBytes(WireField field, WireType type, uint64_t size) {
    if (size > left_.size()) return std::nullopt;
    field.type = type;
    field.bytes = left_.substr(0, size);
    left_.remove_prefix(size);
    return field;
  }

  std::string_view left_;
};

// fn(field) for each field called `number`, of a message that is well formed.
template <class Fn>
void ForEach(std::string_view bytes, int number, const Fn& fn) {
  WireCursor cursor(bytes);
  while (!cursor.AtEnd()) {
    const auto field = cursor.Field();
    if (field->number == number) fn(*field);
  }
}

}  // namespace

std::optional<WireView> WireView::Parse(std::string_view bytes) {
  WireCursor cursor(bytes);
  while (!cursor.AtEnd()) {
    if (!cursor.Field()) return std::nullopt;
  }
  return WireView(bytes);
}

std::optional<int64_t> WireView::Integer(int field) const {
  std::optional<int64_t> last;
  ForEach(bytes_, field, [&](const WireField& found) {
    if (found.type == WireType::kVarint) last = static_cast<int64_t>(found.integer);
  });
  return last;
}

std::optional<std::string_view> WireView::Text(int field) const {
  std::optional<std::string_view> last;
  ForEach(bytes_, field, [&](const WireField& found) {
    if (found.type == WireType::kText) last = found.bytes;
  });
  return last;
}

std::vector<std::string_view> WireView::Texts(int field) const {
  std::vector<std::string_view> all;
  ForEach(bytes_, field, [&](const WireField& found) {
    if (found.type == WireType::kText) all.push_back(found.bytes);
  });
  return all;
}

std::optional<std::vector<int64_t>> WireView::Integers(int field) const {
  std::vector<int64_t> all;
  bool whole = true;
  ForEach(bytes_, field, [&](const WireField& found) {
    if (found.type == WireType::kVarint) all.push_back(static_cast<int64_t>(found.integer));
    if (found.type != WireType::kText) return;
    WireCursor packed(found.bytes);
    while (!packed.AtEnd() && whole) {
      const auto value = packed.Varint();
      whole = value.has_value();
      if (whole) all.push_back(static_cast<int64_t>(*value));
    }
  });
  if (!whole) return std::nullopt;
  return all;
}

std::optional<std::string> WireView::Fixed(int field, size_t size) const {
  const WireType single = size == sizeof(uint32_t) ? WireType::kFixed32 : WireType::kFixed64;
  std::string all;
  bool whole = true;
  ForEach(bytes_, field, [&](const WireField& found) {
    if (found.type != single && found.type != WireType::kText) return;
    whole = whole && found.bytes.size() % size == 0;
    all += found.bytes;
  });
  if (!whole) return std::nullopt;
  return all;
}

}  // namespace millwright
