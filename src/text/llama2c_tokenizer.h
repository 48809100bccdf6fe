// The tokenizer.bin of llama2.c: a SentencePiece BPE vocabulary with scores.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "text/joints.h"
#include "text/tokenizer.h"

namespace millwright::text {

// The file: u32 longest piece, then per piece f32 score, u32 length, bytes, to the end of the file,
// little-endian. Piece 0 is <unk>, 1 BOS, 2 EOS, 3..258 the bytes. Source: llama2.c's tokenizer.py.
//
// Encode: a dummy space, then UTF-8 characters (unknown ones as bytes), then the neighbours whose
// concatenation has the highest score are merged, leftmost among equals, until none is a piece. As
// in llama2.c, except that <unk>, BOS, EOS and byte pieces are never made by a merge. Decode drops
// the dummy space at the start and after BOS, and writes BOS, EOS and <unk> as nothing.
class Llama2cTokenizer : public Tokenizer {
 public:
  static constexpr TokenId kUnknown = 0;
  static constexpr TokenId kBos = 1;
  static constexpr TokenId kEos = 2;
  static constexpr TokenId kFirstByte = 3;
  static constexpr TokenId kFirstPiece = 259;

  // `vocab_size`: the number of pieces that the file must hold, or 0 for whatever it holds. Errors
  // name the file and the piece: truncated, longer than the header says, a score that is not a
  // number, byte pieces not in their places, another number of pieces than expected.
  static Result<Llama2cTokenizer> Open(const std::string& path, int64_t vocab_size = 0);
  static Result<Llama2cTokenizer> Parse(std::string_view bytes, std::string_view name,
                                        int64_t vocab_size = 0);

  Llama2cTokenizer(Llama2cTokenizer&&) = default;
  Llama2cTokenizer& operator=(Llama2cTokenizer&&) = default;

  // The whole text in one call; NewEncoder goes word by word (see joints.h), many times faster.
  std::vector<TokenId> Encode(std::string_view text) const override;
  // SentencePiece recognises no special tokens in text: the same as Encode.
  std::vector<TokenId> EncodePlain(std::string_view text) const override { return Encode(text); }
  std::unique_ptr<text::Encoder> NewEncoder(SpecialText special) const override;
  std::string Decode(std::span<const TokenId> ids) const override;
  std::string_view Piece(TokenId id) const override;
  int64_t vocab_size() const override { return static_cast<int64_t>(pieces_.size()); }
  std::optional<TokenId> bos() const override { return kBos; }
  std::optional<TokenId> eos() const override { return kEos; }
  std::string_view kind() const override { return "llama2.c"; }
  // Writes `folder`/tokenizer.bin.
  Status Save(const std::string& folder) const override;

  // The file's bytes, equal to those it was read from.
  std::string Serialize() const;

 private:
  struct StoredPiece {
    float score = 0;
    std::string stored;  // as in the file
    std::string bytes;   // what it stands for
  };
  class Merger;

  Llama2cTokenizer() = default;
  Status Read(std::string_view bytes);
  Status CheckControlPieces() const;
  void Index();

  uint32_t max_length_ = 0;
  std::vector<StoredPiece> pieces_;
  // Mergeable pieces by text: views into pieces_, which is moved but never copied.
  std::unordered_map<std::string_view, TokenId> ids_;
  Joints joints_{/*meta_space=*/false};
};

}  // namespace millwright::text
