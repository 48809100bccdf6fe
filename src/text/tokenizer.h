// Text to tokens and back: the one interface behind which every tokenizer stands.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace millwright::text {

using TokenId = int32_t;

// Whether special tokens that are written in a text are recognised, or ordinary text.
enum class SpecialText { kRecognised, kPlain };

// Encodes texts one after the other, each given in parts of any size, with memory for a part and
// not for a text. It remembers words that it has seen: keep one a thread. Must not outlive its
// tokenizer.
class Encoder {
 public:
  virtual ~Encoder() = default;

  // The next part of the text. Appends the ids that no later part can change.
  virtual Status Add(std::string_view part, std::vector<TokenId>& ids) = 0;

  // The text ends here: appends its last ids. What is added next begins another text. After a
  // failure the encoder is of no more use.
  virtual Status Finish(std::vector<TokenId>& ids) = 0;
};

// A tokenizer: immutable, and safe to use from several threads.
class Tokenizer {
 public:
  virtual ~Tokenizer() = default;

  // The ids of `text`, byte for byte, with the tokenizer's own dummy prefix if it has one and
  // without BOS or EOS. Special tokens written in the text are recognised where the tokenizer does
  // so. Empty where the tokenizer itself fails on the text (see EncodeText, which says why).
  virtual std::vector<TokenId> Encode(std::string_view text) const = 0;

  // As Encode, but special tokens written in the text are ordinary text.
  virtual std::vector<TokenId> EncodePlain(std::string_view text) const = 0;

  // Encodes as Encode or EncodePlain do, text by text and without their limits. The default
  // implementation gathers the whole text and calls them.
  virtual std::unique_ptr<Encoder> NewEncoder(SpecialText special = SpecialText::kRecognised) const;

  // The text of `ids`. Ids outside [0, vocab_size()) are skipped.
  virtual std::string Decode(std::span<const TokenId> ids) const = 0;

  // The bytes that one id stands for, possibly a part of a UTF-8 character; empty for ids outside
  // the vocabulary. For printing while generating: unlike Decode, it drops no dummy prefix.
  virtual std::string_view Piece(TokenId id) const = 0;

  virtual int64_t vocab_size() const = 0;
  virtual std::optional<TokenId> bos() const = 0;
  virtual std::optional<TokenId> eos() const = 0;

  // What it is, in words: "byte-level BPE", "llama2.c".
  virtual std::string_view kind() const = 0;

  // Writes the tokenizer into `folder` under its usual file name, from where OpenTokenizer reads
  // it.
  virtual Status Save(const std::string& folder) const = 0;
};

// Whether every id stands for the same bytes in both, so that the ids of one are those of the
// other.
bool SameVocabulary(const Tokenizer& a, const Tokenizer& b);

// The ids of one text by an encoder, and so with its errors.
Result<std::vector<TokenId>> EncodeText(const Tokenizer& tokenizer, std::string_view text,
                                        SpecialText special = SpecialText::kRecognised);

}  // namespace millwright::text
