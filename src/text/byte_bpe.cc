#include "text/byte_bpe.h"

#include "text/byte_alphabet.h"

namespace millwright::text {
namespace {

uint64_t PairKey(TokenId left, TokenId right) {
  return (static_cast<uint64_t>(static_cast<uint32_t>(left)) << 32) | static_cast<uint32_t>(right);
}

}  // namespace

Result<ByteBpe> ByteBpe::Create(ByteBpeModel model) {
  auto pre_tokenizer = PreTokenizer::Create(model.pattern);
  if (!pre_tokenizer) return pre_tokenizer.error();
  ByteBpe bpe(*std::move(pre_tokenizer));
  bpe.model_ = std::move(model);
  if (auto status = bpe.Index(); !status) return status.error();
  return bpe;
}

Status ByteBpe::Index() {
  for (size_t i = 0; i < model_.tokens.size(); ++i) {
    const std::string& token = model_.tokens[i];
    if (token.empty()) return BadInput("token {} is empty", i);
    const auto [known, is_new] = ids_.try_emplace(token, static_cast<TokenId>(i));
    if (!is_new) {
      return BadInput("tokens {} and {} are both \"{}\"", known->second, i, ToByteAlphabet(token));
    }
  }
  for (int byte = 0; byte < 256; ++byte) {
    const std::string token(1, static_cast<char>(byte));
    const auto found = ids_.find(token);
    if (found == ids_.end()) {
      return BadInput("there is no token for byte {:#04x} (\"{}\")", byte, ToByteAlphabet(token));
    }
    byte_ids_.push_back(found->second);
  }
  auto status = IndexSpecial();
  return status ? IndexMerges() : status;
}

Status ByteBpe::IndexSpecial() {
  for (const auto& id : {model_.bos, model_.eos}) {
    if (id && (*id < 0 || *id >= vocab_size())) {
      return BadInput("BOS or EOS {} is not in the vocabulary", *id);
    }
  }
  std::vector<std::pair<std::string, TokenId>> special;
  for (TokenId id : model_.special) {
    if (id < 0 || id >= vocab_size()) {
      return BadInput("special token {} is not in the vocabulary", id);
    }
    special.emplace_back(model_.tokens[static_cast<size_t>(id)], id);
    // In files, ordinary tokens are spelled in the byte alphabet and special ones as they are.
    const auto bytes = FromByteAlphabet(special.back().first);
    const auto twin = bytes ? ids_.find(*bytes) : ids_.end();
    if (twin != ids_.end() && twin->second != id) {
      return BadInput("special token {} is spelled as token {} is", id, twin->second);
    }
  }
  special_ = SpecialTokens(std::move(special));
  return {};
}

Status ByteBpe::IndexMerges() {
  for (size_t i = 0; i < model_.merges.size(); ++i) {
    const auto [left, right] = model_.merges[i];
    if (left < 0 || left >= vocab_size() || right < 0 || right >= vocab_size()) {
      return BadInput("merge {} joins ids {} and {}, outside the vocabulary of {}", i, left, right,
                      vocab_size());
    }
    const std::string joined(std::string(Piece(left)).append(Piece(right)));
    const auto result = ids_.find(joined);
    if (result == ids_.end()) {
      return BadInput("merge {} makes \"{}\", which is not a token", i, ToByteAlphabet(joined));
    }
    const Merge merge = {static_cast<int32_t>(i), result->second};
    if (!merges_.try_emplace(PairKey(left, right), merge).second) {
      return BadInput("merge {} (\"{}\" \"{}\") is listed twice", i, ToByteAlphabet(Piece(left)),
                      ToByteAlphabet(Piece(right)));
    }
  }
  return {};
}

const ByteBpe::Merge* ByteBpe::FindMerge(TokenId left, TokenId right) const {
  const auto found = merges_.find(PairKey(left, right));
  return found == merges_.end() ? nullptr : &found->second;
}

std::vector<TokenId> ByteBpe::Encode(std::string_view text) const {
  auto ids = EncodeText(*this, text);
  return ids ? *std::move(ids) : std::vector<TokenId>();
}

std::vector<TokenId> ByteBpe::EncodePlain(std::string_view text) const {
  auto ids = EncodeText(*this, text, SpecialText::kPlain);
  return ids ? *std::move(ids) : std::vector<TokenId>();
}

std::string ByteBpe::Decode(std::span<const TokenId> ids) const {
  std::string text;
  for (TokenId id : ids) text.append(Piece(id));
  return text;
}

std::string_view ByteBpe::Piece(TokenId id) const {
  if (id < 0 || id >= vocab_size()) return {};
  return model_.tokens[static_cast<size_t>(id)];
}

}  // namespace millwright::text
