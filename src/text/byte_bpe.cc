#include "text/byte_bpe.h"

#include <algorithm>
#include <functional>
#include <queue>
#include <tuple>

#include "text/byte_alphabet.h"
#include "text/pre_tokenizer.h"

namespace millwright::text {
namespace {

uint64_t PairKey(TokenId left, TokenId right) {
  return (static_cast<uint64_t>(static_cast<uint32_t>(left)) << 32) | static_cast<uint32_t>(right);
}

}  // namespace

// Encodes words one after the other and remembers those it has seen.
class ByteBpe::Encoder {
 public:
  Encoder(const ByteBpe& bpe, std::vector<TokenId>& out) : bpe_(bpe), out_(out) {}

  // Appends the ids of `text`, which holds no special tokens and outlives the encoder.
  void Append(std::string_view text) {
    while (!text.empty()) {
      const std::string_view word = text.substr(0, FirstWordLength(text));
      text.remove_prefix(word.size());
      const auto [known, is_new] = seen_.try_emplace(word, out_.size(), size_t{0});
      auto& [begin, count] = known->second;
      if (is_new) {
        AppendWord(word);
        count = out_.size() - begin;
      } else {
        for (size_t i = 0; i < count; ++i) out_.push_back(out_[begin + i]);
      }
    }
  }

 private:
  // One symbol of the word at hand; merged symbols are unlinked (id -1).
  struct Symbol {
    TokenId id;
    int32_t previous;
    int32_t next;  // -1 at the ends
  };
  // (rank, position of the left symbol, left id, right id)
  using Candidate = std::tuple<int32_t, int32_t, TokenId, TokenId>;

  void Consider(int32_t left) {
    const int32_t right = left < 0 ? -1 : symbols_[static_cast<size_t>(left)].next;
    if (right < 0) return;
    const TokenId a = symbols_[static_cast<size_t>(left)].id;
    const TokenId b = symbols_[static_cast<size_t>(right)].id;
    if (const Merge* merge = bpe_.FindMerge(a, b)) candidates_.emplace(merge->rank, left, a, b);
  }

  void AppendWord(std::string_view word) {
    symbols_.clear();
    for (size_t i = 0; i < word.size(); ++i) {
      const auto at = static_cast<int32_t>(i);
      symbols_.push_back({bpe_.byte_ids_[static_cast<unsigned char>(word[i])], at - 1, at + 1});
    }
    symbols_.back().next = -1;
    for (size_t i = 0; i + 1 < word.size(); ++i) Consider(static_cast<int32_t>(i));
    while (!candidates_.empty()) {
      const auto [rank, at, a, b] = candidates_.top();
      candidates_.pop();
      Symbol& left = symbols_[static_cast<size_t>(at)];
      // Stale if either symbol has been merged since.
      if (left.id != a || left.next < 0) continue;
      Symbol& right = symbols_[static_cast<size_t>(left.next)];
      if (right.id != b) continue;
      left.id = bpe_.FindMerge(a, b)->result;
      right.id = -1;
      left.next = right.next;
      if (left.next >= 0) symbols_[static_cast<size_t>(left.next)].previous = at;
      Consider(left.previous);
      Consider(at);
    }
    for (int32_t i = 0; i >= 0; i = symbols_[static_cast<size_t>(i)].next) {
      out_.push_back(symbols_[static_cast<size_t>(i)].id);
    }
  }

  const ByteBpe& bpe_;
  std::vector<TokenId>& out_;
  std::unordered_map<std::string_view, std::pair<size_t, size_t>>
      seen_;  // where in out_: begin, count
  std::vector<Symbol> symbols_;
  std::priority_queue<Candidate, std::vector<Candidate>, std::greater<>> candidates_;
};

Result<ByteBpe> ByteBpe::Create(ByteBpeModel model) {
  ByteBpe bpe;
  bpe.model_ = std::move(model);
  if (auto status = bpe.Index(); !status) return status.error();
  return bpe;
}

Status ByteBpe::Index() {
  std::unordered_map<std::string_view, TokenId> ids;
  for (size_t i = 0; i < model_.tokens.size(); ++i) {
    const std::string& token = model_.tokens[i];
    if (token.empty()) return BadInput("token {} is empty", i);
    const auto [known, is_new] = ids.try_emplace(token, static_cast<TokenId>(i));
    if (!is_new) {
      return BadInput("tokens {} and {} are both \"{}\"", known->second, i, ToByteAlphabet(token));
    }
  }
  std::vector<std::pair<std::string, TokenId>> special;
  for (TokenId id : model_.special) {
    if (id < 0 || id >= vocab_size())
      return BadInput("special token {} is not in the vocabulary", id);
    special.emplace_back(model_.tokens[static_cast<size_t>(id)], id);
    // In files, ordinary tokens are spelled in the byte alphabet and special ones as they are.
    const auto bytes = FromByteAlphabet(special.back().first);
    const auto twin = bytes ? ids.find(*bytes) : ids.end();
    if (twin != ids.end() && twin->second != id) {
      return BadInput("special token {} is spelled as token {} is", id, twin->second);
    }
    if (special.back().first == kEndOfText) end_of_text_ = id;
  }
  special_ = SpecialTokens(std::move(special));
  for (int byte = 0; byte < 256; ++byte) {
    const std::string token(1, static_cast<char>(byte));
    const auto found = ids.find(token);
    if (found == ids.end()) {
      return BadInput("there is no token for byte {:#04x} (\"{}\")", byte, ToByteAlphabet(token));
    }
    byte_ids_.push_back(found->second);
  }
  return IndexMerges(ids);
}

Status ByteBpe::IndexMerges(const std::unordered_map<std::string_view, TokenId>& ids) {
  for (size_t i = 0; i < model_.merges.size(); ++i) {
    const auto [left, right] = model_.merges[i];
    if (left < 0 || left >= vocab_size() || right < 0 || right >= vocab_size()) {
      return BadInput("merge {} joins ids {} and {}, outside the vocabulary of {}", i, left, right,
                      vocab_size());
    }
    const std::string joined(std::string(Piece(left)).append(Piece(right)));
    const auto result = ids.find(joined);
    if (result == ids.end()) {
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
  std::vector<TokenId> ids;
  Encoder encoder(*this, ids);
  for (size_t from = 0; from < text.size();) {
    const auto match = special_.Find(text, from);
    encoder.Append(text.substr(from, match.begin - from));
    if (match.id < 0) break;
    ids.push_back(match.id);
    from = match.end;
  }
  return ids;
}

std::vector<TokenId> ByteBpe::EncodePlain(std::string_view text) const {
  std::vector<TokenId> ids;
  Encoder(*this, ids).Append(text);
  return ids;
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
