#include "data/vocabulary.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <utility>

namespace millwright::data {
namespace {

struct ModeName {
  VocabMode mode;
  std::string_view name;
};
constexpr std::array kModes = {ModeName{VocabMode::kExact, "exact"},
                               ModeName{VocabMode::kActive, "active"},
                               ModeName{VocabMode::kFull, "full"}};

constexpr int64_t kCountedAtOnce = 1 << 14;

Status CheckVocab(int64_t vocab) {
  if (vocab > 0 && vocab <= INT32_MAX) return {};
  return BadInput("vocabulary size: expected 1 to {}, found {}", INT32_MAX, vocab);
}

// Sets seen[id] for every id of `source`.
Status MarkSeen(const TokenSource& source, std::vector<uint8_t>& seen) {
  std::vector<int32_t> chunk(kCountedAtOnce);
  for (int64_t offset = 0; offset < source.size(); offset += kCountedAtOnce) {
    const auto count = static_cast<size_t>(std::min(kCountedAtOnce, source.size() - offset));
    source.Copy(offset, std::span(chunk).first(count));
    for (size_t i = 0; i < count; ++i) {
      const auto id = static_cast<uint32_t>(chunk[i]);
      if (id >= seen.size()) {
        return BadInput("{}: token {} at offset {} is outside the vocabulary of {}", source.name(),
                        chunk[i], offset + static_cast<int64_t>(i), seen.size());
      }
      seen[id] = 1;
    }
  }
  return {};
}

std::vector<int32_t> AllWords(int64_t vocab) {
  std::vector<int32_t> words(static_cast<size_t>(vocab));
  std::iota(words.begin(), words.end(), 0);
  return words;
}

}  // namespace

std::string_view VocabModeName(VocabMode mode) {
  for (const auto& entry : kModes) {
    if (entry.mode == mode) return entry.name;
  }
  return "?";
}

std::optional<VocabMode> VocabModeFromName(std::string_view name) {
  for (const auto& entry : kModes) {
    if (entry.name == name) return entry.mode;
  }
  return std::nullopt;
}

VocabMap::VocabMap(VocabMode mode, int64_t vocab, std::vector<int32_t> active)
    : mode_(mode), active_(std::move(active)), rows_of_(static_cast<size_t>(vocab), -1) {
  for (size_t row = 0; row < active_.size(); ++row) {
    rows_of_[static_cast<size_t>(active_[row])] = static_cast<int32_t>(row);
  }
}

Result<VocabMap> VocabMap::Build(VocabMode mode, int64_t vocab,
                                 std::span<const std::shared_ptr<const TokenSource>> sources) {
  if (auto status = CheckVocab(vocab); !status) return status.error();
  std::vector<uint8_t> seen(static_cast<size_t>(vocab), 0);
  for (const auto& source : sources) {
    if (auto status = MarkSeen(*source, seen); !status) return status.error();
  }
  std::vector<int32_t> active;
  for (size_t id = 0; id < seen.size(); ++id) {
    if (seen[id] != 0) active.push_back(static_cast<int32_t>(id));
  }
  if (active.empty()) return BadInput("the data holds no tokens: no word would be active");
  if (mode == VocabMode::kFull) active = AllWords(vocab);
  return VocabMap(mode, vocab, std::move(active));
}

Result<VocabMap> VocabMap::FromActive(VocabMode mode, int64_t vocab, std::vector<int32_t> active) {
  if (auto status = CheckVocab(vocab); !status) return status.error();
  if (mode == VocabMode::kFull && active.empty()) active = AllWords(vocab);
  if (active.empty()) return BadInput("active words: the list is empty");
  for (size_t i = 0; i < active.size(); ++i) {
    if (active[i] < 0 || active[i] >= vocab) {
      return BadInput("active words: entry {} is {}, outside the vocabulary of {}", i, active[i],
                      vocab);
    }
    if (i > 0 && active[i] <= active[i - 1]) {
      return BadInput("active words: entry {} is {} after {}, not ascending", i, active[i],
                      active[i - 1]);
    }
  }
  if (mode == VocabMode::kFull && static_cast<int64_t>(active.size()) != vocab) {
    return BadInput("active words: full mode needs all {} words, found {}", vocab, active.size());
  }
  return VocabMap(mode, vocab, std::move(active));
}

Status VocabMap::MapTokens(std::span<const int32_t> tokens, std::span<int32_t> out) const {
  for (size_t i = 0; i < tokens.size(); ++i) {
    out[i] = Row(tokens[i]);
    if (out[i] >= 0) continue;
    if (tokens[i] < 0 || tokens[i] >= vocab()) {
      return BadInput("token {} at position {} is outside the vocabulary of {}", tokens[i], i,
                      vocab());
    }
    return BadInput("token {} at position {} is not among the {} active words of the data",
                    tokens[i], i, active_.size());
  }
  return {};
}

double VocabMap::LastRowBias() const {
  return has_shared_row() ? std::log(static_cast<double>(inactive_count())) : 0.0;
}

}  // namespace millwright::data
