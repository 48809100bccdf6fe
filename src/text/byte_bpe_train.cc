#include "text/byte_bpe_train.h"

#include <algorithm>
#include <cstdint>
#include <queue>
#include <unordered_map>
#include <utility>
#include <vector>

#include "text/pre_tokenizer.h"
#include "text/utf8.h"

namespace millwright::text {
namespace {

// A pair that occurs once saves nothing.
constexpr int64_t kMinPairCount = 2;

struct Word {
  std::vector<TokenId> symbols;
  int64_t count = 0;
};

// Counts the distinct words of a text, in order of first occurrence, as symbols of single bytes.
class WordCounter {
 public:
  WordCounter(const PreTokenizer& pre_tokenizer, TokenId first_byte)
      : scanner_(pre_tokenizer), first_byte_(first_byte) {}

  // Bytes that are no characters separate words.
  Status Add(std::string_view text) {
    while (!text.empty()) {
      const std::string_view valid = text.substr(0, ValidPrefix(text));
      for (size_t from = 0; from < valid.size();) {
        const auto end = scanner_.WordEnd(valid, from, /*last=*/true);
        if (!end) return end.error();
        Count(valid.substr(from, *end - from));
        from = *end;
      }
      text.remove_prefix(std::min(valid.size() + 1, text.size()));
    }
    return {};
  }

  std::vector<Word> Take() { return std::move(words_); }

 private:
  void Count(std::string_view word) {
    const auto [known, is_new] = index_.try_emplace(word, words_.size());
    if (is_new) {
      words_.emplace_back();
      for (unsigned char byte : word) words_.back().symbols.push_back(first_byte_ + byte);
    }
    ++words_[known->second].count;
  }

  PreTokenizer::Scanner scanner_;
  TokenId first_byte_;
  std::vector<Word> words_;
  std::unordered_map<std::string_view, size_t> index_;
};

Result<std::vector<Word>> CountWords(std::string_view text, const SpecialTokens& special,
                                     TokenId first_byte) {
  const auto pre_tokenizer = PreTokenizer::Create(kGpt2Pattern);
  if (!pre_tokenizer) return pre_tokenizer.error();
  WordCounter counter(*pre_tokenizer, first_byte);
  for (size_t from = 0; from < text.size();) {
    const auto match = special.Find(text, from);
    auto status = counter.Add(text.substr(from, match.begin - from));
    if (!status) return status.error();
    from = match.end;
  }
  return counter.Take();
}

// The counts of neighbouring symbols, kept up to date while pairs are merged.
class PairCounter {
 public:
  explicit PairCounter(std::vector<Word> words) : words_(std::move(words)) {
    for (size_t i = 0; i < words_.size(); ++i) Add(i, words_[i].count);
    PushChanged();
  }

  // The most frequent pair (ties: the smaller ids), or nothing if none is frequent enough.
  std::optional<std::pair<TokenId, TokenId>> Top() {
    while (!heap_.empty()) {
      const Entry entry = heap_.top();
      const int64_t count = pairs_[entry.key].count;
      if (count == entry.count) {
        return std::pair(static_cast<TokenId>(entry.key >> 32),
                         static_cast<TokenId>(entry.key & 0xFFFFFFFFu));
      }
      // Stale: a newer entry was pushed when the count changed.
      heap_.pop();
    }
    return std::nullopt;
  }

  // Replaces every occurrence of the pair, leftmost first, by `result`.
  void Merge(TokenId left, TokenId right, TokenId result) {
    std::vector<size_t> places = std::move(pairs_[Key(left, right)].words);
    std::sort(places.begin(), places.end());
    places.erase(std::unique(places.begin(), places.end()), places.end());
    for (size_t place : places) {
      Add(place, -words_[place].count);
      MergeInWord(words_[place].symbols, left, right, result);
      Add(place, words_[place].count);
    }
    PushChanged();
  }

 private:
  struct Pair {
    int64_t count = 0;
    std::vector<size_t> words;  // those that hold it, and some that did
  };
  struct Entry {
    int64_t count;
    uint64_t key;
    bool operator<(const Entry& other) const {
      return count != other.count ? count < other.count : key > other.key;
    }
  };

  static uint64_t Key(TokenId left, TokenId right) {
    return (static_cast<uint64_t>(left) << 32) | static_cast<uint64_t>(right);
  }

  static void MergeInWord(std::vector<TokenId>& symbols, TokenId left, TokenId right,
                          TokenId result) {
    size_t out = 0;
    for (size_t in = 0; in < symbols.size(); ++in) {
      const bool match = symbols[in] == left && in + 1 < symbols.size() && symbols[in + 1] == right;
      symbols[out++] = match ? result : symbols[in];
      if (match) ++in;
    }
    symbols.resize(out);
  }

  // Adds `count` to every pair of word `place`.
  void Add(size_t place, int64_t count) {
    const auto& symbols = words_[place].symbols;
    for (size_t i = 0; i + 1 < symbols.size(); ++i) {
      const uint64_t key = Key(symbols[i], symbols[i + 1]);
      Pair& pair = pairs_[key];
      pair.count += count;
      if (count > 0 && (pair.words.empty() || pair.words.back() != place)) {
        pair.words.push_back(place);
      }
      changed_.push_back(key);
    }
  }

  void PushChanged() {
    std::sort(changed_.begin(), changed_.end());
    changed_.erase(std::unique(changed_.begin(), changed_.end()), changed_.end());
    for (uint64_t key : changed_) {
      const int64_t count = pairs_[key].count;
      if (count >= kMinPairCount) heap_.push({count, key});
    }
    changed_.clear();
  }

  std::vector<Word> words_;
  std::unordered_map<uint64_t, Pair> pairs_;
  std::vector<uint64_t> changed_;
  std::priority_queue<Entry> heap_;
};

}  // namespace

Result<ByteBpe> TrainByteBpe(std::string_view text, int vocab_size,
                             std::span<const std::string_view> special) {
  const int smallest = 256 + static_cast<int>(special.size());
  if (vocab_size < smallest) {
    return BadInput("vocabulary size {}: a byte-level BPE with {} special tokens needs {} or more",
                    vocab_size, special.size(), smallest);
  }
  ByteBpeModel model;
  std::vector<std::pair<std::string, TokenId>> matched;
  for (std::string_view token : special) {
    if (token.empty()) return BadInput("special token {} is empty", model.tokens.size());
    const auto id = static_cast<TokenId>(model.tokens.size());
    model.special.push_back(id);
    matched.emplace_back(token, id);
    model.tokens.emplace_back(token);
    if (token == kEndOfText) model.bos = model.eos = id;
  }
  const auto first_byte = static_cast<TokenId>(model.tokens.size());
  for (int byte = 0; byte < 256; ++byte) model.tokens.emplace_back(1, static_cast<char>(byte));

  std::unordered_map<std::string, TokenId> ids;
  for (const auto& token : model.tokens) ids.emplace(token, static_cast<TokenId>(ids.size()));
  auto words = CountWords(text, SpecialTokens(std::move(matched)), first_byte);
  if (!words) return words.error();
  PairCounter pairs(*std::move(words));
  while (static_cast<int>(model.tokens.size()) < vocab_size) {
    const auto pair = pairs.Top();
    if (!pair) break;
    const auto [left, right] = *pair;
    std::string joined = model.tokens[static_cast<size_t>(left)];
    joined += model.tokens[static_cast<size_t>(right)];
    // Two merges may make the same text, as a+bc and ab+c do: they share one token.
    const auto [known, is_new] = ids.try_emplace(joined, static_cast<TokenId>(model.tokens.size()));
    if (is_new) model.tokens.push_back(std::move(joined));
    model.merges.push_back(*pair);
    pairs.Merge(left, right, known->second);
  }
  return ByteBpe::Create(std::move(model));
}

}  // namespace millwright::text
