#include "text/joints.h"

#include "text/utf8.h"

namespace millwright::text {
namespace {

// The character at `at` with the continuation bytes that follow it, however many.
size_t GroupEnd(std::string_view text, size_t at) {
  do ++at;
  while (at < text.size() && IsContinuation(text[at]));
  return at;
}

}  // namespace

uint32_t Joints::Pack(std::string_view character) const {
  if (character.size() != CharacterSize(character)) return 0;
  uint32_t packed = 0;
  for (unsigned char byte : character) packed = packed << 8 | byte;
  constexpr uint32_t kMetaSpace = 0xE29681;  // U+2581
  return packed == kMetaSpace && meta_space_ ? ' ' : packed;
}

void Joints::AddPiece(std::string_view piece) {
  uint32_t left = 0;
  for (size_t at = 0; at < piece.size();) {
    const size_t end = GroupEnd(piece, at);
    const uint32_t right = Pack(piece.substr(at, end - at));
    if (at > 0 && left < 128 && right < 128) {
      ascii_[left][right / 64] |= uint64_t{1} << (right % 64);
    } else if (at > 0) {
      others_.insert(uint64_t{left} << 32 | right);
    }
    left = right;
    at = end;
  }
}

bool Joints::Joined(uint32_t left, uint32_t right) const {
  if (left < 128 && right < 128) return (ascii_[left][right / 64] >> (right % 64) & 1) != 0;
  return others_.contains(uint64_t{left} << 32 | right);
}

size_t Joints::NextCut(std::string_view text, size_t from) const {
  if (from >= text.size()) return kNone;
  size_t at = GroupEnd(text, from);
  // NUL packs to what a broken character does, and both are never cut off.
  uint32_t left = Pack(text.substr(from, at - from));
  while (at < text.size()) {
    const size_t end = GroupEnd(text, at);
    const uint32_t right = Pack(text.substr(at, end - at));
    if (left != 0 && right != 0 && !Joined(left, right)) return at;
    left = right;
    at = end;
  }
  return kNone;
}

}  // namespace millwright::text
