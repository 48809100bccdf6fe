#include <algorithm>
#include <vector>

#include "base/output_file.h"
#include "data/token_file.h"
#include "data/tokenize.h"

namespace millwright::data {
namespace {

using text::TokenId;

constexpr int64_t kIdsAtOnce = 1 << 16;

// Writes documents as text while their ids come in.
class Detokenizer {
 public:
  Detokenizer(const text::Tokenizer& tokenizer, const std::string& split)
      : tokenizer_(tokenizer), split_(split) {}

  // Appends to `text`.
  void Add(TokenId id, std::string& text) {
    if (id == tokenizer_.bos() || id == tokenizer_.eos()) {
      Finish(text);
      return;
    }
    // A document's first id carries the dummy prefix, which Decode drops.
    if (empty_) {
      text.append(tokenizer_.Decode({&id, 1}));
    } else {
      text.append(tokenizer_.Piece(id));
    }
    empty_ = false;
  }

  void Finish(std::string& text) {
    if (empty_) return;
    text.append(split_);
    ++documents_;
    empty_ = true;
  }

  int64_t documents() const { return documents_; }

 private:
  const text::Tokenizer& tokenizer_;
  const std::string& split_;
  int64_t documents_ = 0;
  bool empty_ = true;
};

}  // namespace

Result<TokenizeReport> DetokenizeFile(const text::Tokenizer& tokenizer, const std::string& in,
                                      const std::string& out, const std::string& split,
                                      const TokenizeProgress& progress) {
  auto shard = OpenTokenFile(in, {.vocab = tokenizer.vocab_size()});
  if (!shard) return shard.error();
  auto file = OutputFile::Create(out);
  if (!file) return file.error();
  Detokenizer detokenizer(tokenizer, split);
  TokenizeReport report = {.tokens = (*shard)->size()};
  std::vector<TokenId> ids;
  std::string text;
  for (int64_t at = 0; at < report.tokens; at += kIdsAtOnce) {
    ids.resize(static_cast<size_t>(std::min(kIdsAtOnce, report.tokens - at)));
    (*shard)->Copy(at, ids);
    text.clear();
    for (TokenId id : ids) detokenizer.Add(id, text);
    if (at + kIdsAtOnce >= report.tokens) detokenizer.Finish(text);
    if (auto status = file->Write(text); !status) return status.error();
    report.bytes += static_cast<int64_t>(text.size());
    if (progress) progress(at + static_cast<int64_t>(ids.size()), report.tokens);
  }
  report.documents = detokenizer.documents();
  if (auto status = file->Finish(); !status) return status.error();
  return report;
}

}  // namespace millwright::data
