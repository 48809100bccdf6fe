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
#include "text/special_tokens.h"
#include "text/tokenizer.h"

namespace millwright::text {

inline constexpr std::string_view kEndOfText = "<|endoftext|>";

// What a byte-level BPE is made of. Ids are positions in `tokens`.
struct ByteBpeModel {
  std::vector<std::string> tokens;                  // the bytes of each id; special ones as written
  std::vector<std::pair<TokenId, TokenId>> merges;  // in order of preference
  std::vector<TokenId> special;                     // ids that are matched whole and never merged
};

// Words (see pre_tokenizer.h) are split into bytes, then neighbours are merged, the earliest merge
// of the list first and leftmost among equals, until none applies. BOS and EOS are <|endoftext|> if
// the model has it. Decode writes special tokens as their text.
class ByteBpe : public Tokenizer {
 public:
  // Checks the model: tokens distinct and not empty, a token for each of the 256 bytes, every merge
  // of ids in range whose concatenation is a token. Errors name the token or merge.
  static Result<ByteBpe> Create(ByteBpeModel model);

  // Reads or writes a Hugging Face tokenizer.json: model BPE, pre-tokenizer and decoder ByteLevel
  // (no prefix space), no normalizer. Other kinds are refused by name. See byte_bpe_json.cc.
  static Result<ByteBpe> Open(const std::string& path);
  static Result<ByteBpe> FromJson(std::string_view json, std::string_view name);
  std::string ToJson() const;

  std::vector<TokenId> Encode(std::string_view text) const override;
  std::vector<TokenId> EncodePlain(std::string_view text) const override;
  std::string Decode(std::span<const TokenId> ids) const override;
  std::string_view Piece(TokenId id) const override;
  int64_t vocab_size() const override { return static_cast<int64_t>(model_.tokens.size()); }
  std::optional<TokenId> bos() const override { return end_of_text_; }
  std::optional<TokenId> eos() const override { return end_of_text_; }
  std::string_view kind() const override { return "byte-level BPE"; }
  // Writes `folder`/tokenizer.json.
  Status Save(const std::string& folder) const override;

  const ByteBpeModel& model() const { return model_; }

 private:
  struct Merge {
    int32_t rank;
    TokenId result;
  };
  class Encoder;

  ByteBpe() = default;
  // Fills what is below model_ from it, and checks it on the way.
  Status Index();
  Status IndexMerges(const std::unordered_map<std::string_view, TokenId>& ids);
  // The merge of two neighbours, or null.
  const Merge* FindMerge(TokenId left, TokenId right) const;

  ByteBpeModel model_;
  SpecialTokens special_;
  std::vector<TokenId> byte_ids_;  // the token of each byte
  std::unordered_map<uint64_t, Merge> merges_;
  std::optional<TokenId> end_of_text_;
};

}  // namespace millwright::text
