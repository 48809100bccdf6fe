// SentencePiece, as Llama uses it: tokenizer.model.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "text/joints.h"
#include "text/sentencepiece_model.h"
#include "text/tokenizer.h"

namespace sentencepiece {
class SentencePieceProcessor;
}

namespace millwright::text {

// Encodes with the library libsentencepiece: the ids are its own. Bytes that are not UTF-8 become
// U+FFFD, one each, as the library has it. No special tokens are recognised in text.
//
// A BPE model with byte fallback and without normalization (Llama, Mistral) is encoded word by
// word, each word once (joints.h says why the ids are the same); other models a whole text at a
// time, which needs memory for it and is many times slower.
//
// Decode writes control pieces as nothing, drops the dummy prefix at the start and after BOS, and
// gives the bytes of byte pieces as they are, where the library writes U+FFFD for those that are
// not UTF-8.
class SentencePieceTokenizer : public Tokenizer {
 public:
  // Errors name the file and what is wrong with it (see ParseSentencePieceModel). A model whose
  // normalizer maps characters (nmt_nfkc and the like) is refused.
  static Result<SentencePieceTokenizer> Open(const std::string& path);
  static Result<SentencePieceTokenizer> Parse(std::string_view bytes, std::string_view name);

  SentencePieceTokenizer(SentencePieceTokenizer&&) noexcept;
  SentencePieceTokenizer& operator=(SentencePieceTokenizer&&) noexcept;
  ~SentencePieceTokenizer() override;

  std::vector<TokenId> Encode(std::string_view text) const override;
  std::vector<TokenId> EncodePlain(std::string_view text) const override { return Encode(text); }
  std::unique_ptr<Encoder> NewEncoder(SpecialText special) const override;
  std::string Decode(std::span<const TokenId> ids) const override;
  std::string_view Piece(TokenId id) const override;
  int64_t vocab_size() const override { return static_cast<int64_t>(texts_.size()); }
  std::optional<TokenId> bos() const override { return bos_; }
  std::optional<TokenId> eos() const override { return eos_; }
  std::string_view kind() const override { return "SentencePiece"; }
  // Writes `folder`/tokenizer.model, byte for byte as it was read.
  Status Save(const std::string& folder) const override;

  // The ids of a text by a single call of the library; empty where it fails.
  std::vector<TokenId> EncodeInOneCall(std::string_view text) const;

 private:
  SentencePieceTokenizer();
  Status Load(std::string_view bytes);
  void FillTexts(const SentencePieceModel& model);

  std::string file_;  // the bytes it was read from
  std::unique_ptr<sentencepiece::SentencePieceProcessor> processor_;
  std::vector<std::string> texts_;  // what each id stands for
  Joints joints_{/*meta_space=*/true};
  bool wordwise_ = false;
  bool dummy_prefix_ = false;
  std::optional<TokenId> bos_, eos_;
};

}  // namespace millwright::text
