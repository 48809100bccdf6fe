// Which rows of the embedding and of the classifier a run holds: vocabulary compaction.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "data/token_source.h"

namespace millwright::data {

enum class VocabMode {
  kExact,   // a row for each active word, and one that all inactive words share
  kActive,  // rows for active words only: the softmax does not know the others
  kFull,    // a row for every word
};

// "exact", "active", "full", and back.
std::string_view VocabModeName(VocabMode mode);
std::optional<VocabMode> VocabModeFromName(std::string_view name);

// Words (token ids in [0, vocab)) and rows (what the embedding table in memory holds). A word is
// active if it occurs in the data; active words have the rows 0, 1, ... in ascending order of their
// ids. In kExact, if there are inactive words, one more row follows: the vector that they all
// share, because initialised alike and updated alike they would never differ. The softmax over all
// words is then the softmax over rows with LastRowBias added to the last logit:
//   sum over inactive words of exp(z) = count * exp(z) = exp(z + ln count).
class VocabMap {
 public:
  // The active words are those that occur in `sources`. Errors: vocab not positive, no tokens, an
  // id outside the vocabulary (named with its source).
  static Result<VocabMap> Build(VocabMode mode, int64_t vocab,
                                std::span<const std::shared_ptr<const TokenSource>> sources);

  // As saved with a training state: `active` strictly ascending, not empty, inside the vocabulary;
  // in kFull all words or, equally, none.
  static Result<VocabMap> FromActive(VocabMode mode, int64_t vocab, std::vector<int32_t> active);

  VocabMode mode() const { return mode_; }
  int64_t vocab() const { return static_cast<int64_t>(rows_of_.size()); }

  // Rows in memory, the shared one included.
  int64_t rows() const { return static_cast<int64_t>(active_.size()) + (has_shared_row() ? 1 : 0); }

  // The words that have a row of their own, ascending: word active()[r] has row r.
  const std::vector<int32_t>& active() const { return active_; }
  int64_t inactive_count() const { return vocab() - static_cast<int64_t>(active_.size()); }

  // The row of `token`, or -1 if it has none of its own or is outside the vocabulary.
  int32_t Row(int32_t token) const {
    return token >= 0 && token < vocab() ? rows_of_[static_cast<size_t>(token)] : -1;
  }

  // out[i] = Row(tokens[i]); the spans have equal sizes. Fails at the first token that has no row.
  Status MapTokens(std::span<const int32_t> tokens, std::span<int32_t> out) const;

  // Whether the last row is the one that inactive words share.
  bool has_shared_row() const { return mode_ == VocabMode::kExact && inactive_count() > 0; }

  // What is added to the last row's logit: ln(inactive_count()) where there is a shared row, else
  // 0.
  double LastRowBias() const;

 private:
  VocabMap(VocabMode mode, int64_t vocab, std::vector<int32_t> active);

  VocabMode mode_;
  std::vector<int32_t> active_;
  std::vector<int32_t> rows_of_;  // per word
};

}  // namespace millwright::data
