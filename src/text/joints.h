// Where a text can be cut without changing how its characters merge.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <unordered_set>

namespace millwright::text {

// The pairs of neighbouring characters inside the pieces of a BPE vocabulary. A merge joins
// neighbours into a piece, so that no merge ever joins two characters that are neighbours in no
// piece: a text can be cut between them, and its parts encoded on their own, with the same ids.
// For a Llama vocabulary that is so, among others, before every space that follows a non-space.
class Joints {
 public:
  static constexpr size_t kNone = std::string_view::npos;

  // `meta_space`: U+2581 is the same character as a space, in pieces and in text (SentencePiece).
  explicit Joints(bool meta_space) : meta_space_(meta_space) {}

  void AddPiece(std::string_view piece);

  // The first place after `from` where `text` can be cut; kNone if there is none before its end.
  // `from` must be such a place or 0. Text that is not UTF-8 is not cut.
  size_t NextCut(std::string_view text, size_t from) const;

 private:
  // A character as a number, unique: its bytes. 0 for bytes that are not one character.
  uint32_t Pack(std::string_view character) const;
  bool Joined(uint32_t left, uint32_t right) const;

  bool meta_space_;
  std::array<std::array<uint64_t, 2>, 128> ascii_ = {};  // [left], a bit for each right one
  std::unordered_set<uint64_t> others_;                  // left << 32 | right
};

}  // namespace millwright::text
