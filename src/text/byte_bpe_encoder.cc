// A text through the stages of a byte-level BPE, part by part: each stage keeps what a later part
// could change.
#include <algorithm>
#include <utility>

#include "text/byte_bpe_merger.h"
#include "text/nfc.h"
#include "text/utf8.h"
#include "text/word_cache.h"

namespace millwright::text {

class ByteBpe::Encoder : public text::Encoder {
 public:
  Encoder(const ByteBpe& bpe, SpecialText special)
      : bpe_(bpe),
        recognise_(special == SpecialText::kRecognised),
        scanner_(bpe.pre_tokenizer_),
        merger_(bpe) {}

  Status Add(std::string_view part, std::vector<TokenId>& ids) override {
    raw_.append(part);
    return CutAtSpecial(/*last=*/false, ids);
  }

  Status Finish(std::vector<TokenId>& ids) override {
    auto status = CutAtSpecial(/*last=*/true, ids);
    return status ? EndSegment(ids) : status;
  }

 private:
  // Hands the text between special tokens on, each stretch as a segment.
  Status CutAtSpecial(bool last, std::vector<TokenId>& ids) {
    const size_t longest = recognise_ ? bpe_.special_.longest() : 0;
    // A special token that begins before `limit` would be here in full.
    const size_t kept = last || longest == 0 ? 0 : longest - 1;
    const size_t limit = raw_.size() - std::min(raw_.size(), kept);
    size_t from = 0;
    while (from < limit) {
      const auto match =
          recognise_ ? bpe_.special_.Find(raw_, from, limit) : SpecialTokens::Match();
      const size_t end = std::min(match.begin, limit);
      auto status = AddText(std::string_view(raw_).substr(from, end - from), ids);
      if (status && match.id >= 0) status = EndSegment(ids);
      if (!status) return status;
      if (match.id >= 0) ids.push_back(match.id);
      from = match.id >= 0 ? match.end : end;
    }
    raw_.erase(0, from);
    return {};
  }

  // Hands the characters on, and turns bytes that are none into their tokens.
  Status AddText(std::string_view text, std::vector<TokenId>& ids) {
    bytes_.append(text);
    std::string_view rest = bytes_;
    while (!rest.empty()) {
      const size_t valid = ValidPrefix(rest);
      if (auto status = AddCharacters(rest.substr(0, valid), ids); !status) return status;
      rest.remove_prefix(valid);
      if (rest.empty() || IsCutCharacter(rest)) break;
      if (auto status = EndWords(ids); !status) return status;
      ids.push_back(bpe_.byte_ids_[static_cast<unsigned char>(rest[0])]);
      rest.remove_prefix(1);
    }
    bytes_.erase(0, bytes_.size() - rest.size());
    return {};
  }

  // Ends the text between two special tokens.
  Status EndSegment(std::vector<TokenId>& ids) {
    auto status = EndWords(ids);
    for (unsigned char byte : std::exchange(bytes_, {})) ids.push_back(bpe_.byte_ids_[byte]);
    return status;
  }

  Status AddCharacters(std::string_view text, std::vector<TokenId>& ids) {
    if (!bpe_.model_.nfc) {
      words_.append(text);
      return CutWords(/*last=*/false, ids);
    }
    unsettled_.append(text);
    const size_t settled = LastNfcCut(unsettled_);
    auto status = AppendNfc(std::string_view(unsettled_).substr(0, settled), words_);
    unsettled_.erase(0, settled);
    return status ? CutWords(/*last=*/false, ids) : status;
  }

  Status EndWords(std::vector<TokenId>& ids) {
    auto status = AppendNfc(std::exchange(unsettled_, {}), words_);
    if (status) status = CutWords(/*last=*/true, ids);
    words_.clear();
    begin_ = worth_a_look_ = 0;
    return status;
  }

  Status CutWords(bool last, std::vector<TokenId>& ids) {
    // A word that fills the whole text so far is searched again only when it has doubled.
    if (!last && words_.size() < worth_a_look_) return {};
    while (begin_ < words_.size()) {
      const auto end = scanner_.WordEnd(words_, begin_, last);
      if (!end) return end.error();
      if (*end == begin_) break;
      AppendWord(std::string_view(words_).substr(begin_, *end - begin_), ids);
      begin_ = *end;
    }
    const size_t context = std::min(begin_, bpe_.pre_tokenizer_.context());
    size_t gone = begin_ - context;
    while (gone > 0 && IsContinuation(words_[gone])) --gone;
    words_.erase(0, gone);
    begin_ -= gone;
    worth_a_look_ = 2 * words_.size();
    return {};
  }

  void AppendWord(std::string_view word, std::vector<TokenId>& ids) {
    if (cache_.Append(word, ids)) return;
    const size_t begin = ids.size();
    merger_.Append(word, ids);
    cache_.Insert(word, ids.data() + begin, ids.size() - begin);
  }

  const ByteBpe& bpe_;
  const bool recognise_;
  PreTokenizer::Scanner scanner_;
  Merger merger_;
  WordCache cache_;
  std::string raw_;        // may begin with the beginning of a special token
  std::string bytes_;      // the beginning of a character
  std::string unsettled_;  // characters that may combine with the next ones
  std::string words_;      // the last word, which may go on, after its context
  size_t begin_ = 0;       // where in words_ that word begins
  size_t worth_a_look_ = 0;
};

std::unique_ptr<text::Encoder> ByteBpe::NewEncoder(SpecialText special) const {
  return std::make_unique<Encoder>(*this, special);
}

}  // namespace millwright::text
