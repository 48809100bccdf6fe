// Byte-level byte pair encoding, as GPT-2 does it: any bytes can be encoded and come back.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/result.h"
#include "text/pre_tokenizer.h"
#include "text/special_tokens.h"
#include "text/tokenizer.h"

namespace millwright::text {

inline constexpr std::string_view kEndOfText = "<|endoftext|>";

// What a byte-level BPE is made of. Ids are positions in `tokens`.
struct ByteBpeModel {
  std::vector<std::string> tokens;                  // the bytes of each id; special ones as written
  std::vector<std::pair<TokenId, TokenId>> merges;  // in order of preference
  std::vector<TokenId> special;                     // ids that are matched whole and never merged
  std::optional<TokenId> bos, eos;
  std::string pattern{kGpt2Pattern};  // of the pre-tokenizer
  bool nfc = false;                   // text is normalized first
  bool ignore_merges = false;  // a word that is a token is that token, however it would merge
};

// Text is cut at special tokens, brought into normal form if `nfc`, cut into words
// (pre_tokenizer.h), and these into bytes; then neighbours are merged, the earliest merge of the
// list first and leftmost among equals, until none applies. A byte that is no part of a UTF-8
// character is a word of its own. Decode writes special tokens as their text, and gives back any
// text byte for byte, after NFC.
class ByteBpe : public Tokenizer {
 public:
  // Checks the model: tokens distinct and not empty, a token for each of the 256 bytes, every merge
  // of ids in range whose concatenation is a token, a pattern that compiles. Errors name the token
  // or merge.
  static Result<ByteBpe> Create(ByteBpeModel model);

  // Reads a Hugging Face tokenizer.json, with the tokenizer_config.json beside it if there is one:
  // model BPE; normalizer none or NFC; pre-tokenizer ByteLevel (no prefix space), alone or after a
  // Split by a regular expression. Other kinds are refused by name. See byte_bpe_json.cc.
  static Result<ByteBpe> Open(const std::string& path);
  // `config`: the text of tokenizer_config.json, or empty.
  static Result<ByteBpe> FromJson(std::string_view json, std::string_view name,
                                  std::string_view config = {});
  // Reads a folder of vocab.json and merges.txt, with added_tokens.json and tokenizer_config.json
  // where they are. See byte_bpe_folder.cc for what the pre-tokenizer is.
  static Result<ByteBpe> OpenFolder(const std::string& folder);
  std::string ToJson() const;

  ByteBpe(ByteBpe&&) noexcept = default;
  ByteBpe& operator=(ByteBpe&&) noexcept = default;

  std::vector<TokenId> Encode(std::string_view text) const override;
  std::vector<TokenId> EncodePlain(std::string_view text) const override;
  std::unique_ptr<text::Encoder> NewEncoder(SpecialText special) const override;
  std::string Decode(std::span<const TokenId> ids) const override;
  std::string_view Piece(TokenId id) const override;
  int64_t vocab_size() const override { return static_cast<int64_t>(model_.tokens.size()); }
  std::optional<TokenId> bos() const override { return model_.bos; }
  std::optional<TokenId> eos() const override { return model_.eos; }
  std::string_view kind() const override { return "byte-level BPE"; }
  // Writes `folder`/tokenizer.json, and tokenizer_config.json with the names of BOS and EOS.
  Status Save(const std::string& folder) const override;

  const ByteBpeModel& model() const { return model_; }

 private:
  struct Merge {
    int32_t rank;
    TokenId result;
  };
  class Merger;   // byte_bpe_merger.h
  class Encoder;  // byte_bpe_encoder.cc

  explicit ByteBpe(PreTokenizer pre_tokenizer) : pre_tokenizer_(std::move(pre_tokenizer)) {}
  // Fills what is below model_ from it, and checks it on the way.
  Status Index();
  Status IndexSpecial();
  Status IndexMerges();
  // The merge of two neighbours, or null.
  const Merge* FindMerge(TokenId left, TokenId right) const;

  ByteBpeModel model_;
  PreTokenizer pre_tokenizer_;
  SpecialTokens special_;
  // By bytes: views into model_, which is moved but never copied.
  std::unordered_map<std::string_view, TokenId> ids_;
  std::vector<TokenId> byte_ids_;  // the token of each byte
  std::unordered_map<uint64_t, Merge> merges_;
};

}  // namespace millwright::text
