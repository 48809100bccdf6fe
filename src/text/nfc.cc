#include "text/nfc.h"

#include <utf8proc.h>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <vector>

#include "text/utf8.h"

namespace millwright::text {
namespace {

constexpr utf8proc_int32_t kCodePoints = 0x110000;
constexpr size_t kMostCombining = 16384;

struct Free {
  void operator()(utf8proc_uint8_t* bytes) const { std::free(bytes); }
};

Result<std::string> Normalize(std::string_view text) {
  utf8proc_uint8_t* bytes = nullptr;
  const auto size = utf8proc_map(
      reinterpret_cast<const utf8proc_uint8_t*>(text.data()), static_cast<ptrdiff_t>(text.size()),
      &bytes, static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE));
  const std::unique_ptr<utf8proc_uint8_t, Free> owner(bytes);
  if (size < 0) return Failed("normalization: {}", utf8proc_errmsg(size));
  return std::string(reinterpret_cast<const char*>(bytes), static_cast<size_t>(size));
}

// The characters before which a text can be cut: not combining, equal to their own normal form, and
// never composed with one before them.
class Inert {
 public:
  Inert() : bits_(kCodePoints / 64, ~uint64_t{0}) {
    for (utf8proc_int32_t point = 0; point < kCodePoints; ++point) Classify(point);
  }

  bool operator()(char32_t point) const { return (bits_[point / 64] >> (point % 64) & 1) != 0; }

 private:
  void Remove(utf8proc_int32_t point) {
    bits_[static_cast<size_t>(point) / 64] &= ~(uint64_t{1} << (point % 64));
  }

  void Classify(utf8proc_int32_t point) {
    if (utf8proc_get_property(point)->combining_class != 0) Remove(point);
    if (point >= 0xD800 && point < 0xE000) return;  // surrogates are no characters
    std::array<utf8proc_int32_t, 8> parts = {};
    int last_class = UTF8PROC_BOUNDCLASS_START;
    const auto count =
        utf8proc_decompose_char(point, parts.data(), parts.size(), UTF8PROC_DECOMPOSE, &last_class);
    if (count == 1 && parts[0] == point) return;
    for (utf8proc_ssize_t i = 1; i < count; ++i) Remove(parts[static_cast<size_t>(i)]);
    std::array<utf8proc_uint8_t, 4> bytes = {};
    const auto size = utf8proc_encode_char(point, bytes.data());
    const std::string text(reinterpret_cast<const char*>(bytes.data()), static_cast<size_t>(size));
    const auto normal = Normalize(text);
    if (!normal || *normal != text) Remove(point);
  }

  std::vector<uint64_t> bits_;
};

bool IsInert(std::string_view text, size_t size) {
  if (size == 1) return true;
  static const Inert inert;
  return inert(CodePoint(text, size));
}

}  // namespace

Status AppendNfc(std::string_view text, std::string& out) {
  size_t done = 0;   // copied to `out` up to here
  size_t start = 0;  // the character before the one at hand
  for (size_t at = 0; at < text.size();) {
    if (IsAscii(text[at])) {
      start = at++;
      continue;
    }
    size_t size = CharacterSize(text.substr(at));
    if (IsInert(text.substr(at), size)) {
      start = at;
      at += size;
      continue;
    }
    size_t combining = 0;
    while (at < text.size()) {
      size = CharacterSize(text.substr(at));
      if (IsInert(text.substr(at), size)) break;
      if (++combining > kMostCombining) {
        return BadInput("more than {} combining characters in a row", kMostCombining);
      }
      at += size;
    }
    const auto normal = Normalize(text.substr(start, at - start));
    if (!normal) return normal.error();
    out.append(text.substr(done, start - done)).append(*normal);
    done = start = at;
  }
  out.append(text.substr(done));
  return {};
}

size_t LastNfcCut(std::string_view text) {
  for (size_t at = text.size(); at > 0;) {
    do --at;
    while (at > 0 && IsContinuation(text[at]));
    if (IsInert(text.substr(at), CharacterSize(text.substr(at)))) return at;
  }
  return 0;
}

}  // namespace millwright::text
