// How evaluation covers data: windows of tokens, each predicting its own next tokens.
#pragma once

#include <cstdint>
#include <vector>

#include "data/token_source.h"

namespace millwright::data {

// The number of whole windows of seq + 1 tokens that share only their ends; a last short window is
// dropped. seq must be positive.
constexpr int64_t WindowCount(int64_t tokens, int64_t seq) {
  return tokens > 0 ? (tokens - 1) / seq : 0;
}

// Window w covers tokens [WindowBegin(w), WindowBegin(w) + seq]: the first seq are the inputs, the
// last seq the targets, shifted by one.
constexpr int64_t WindowBegin(int64_t window, int64_t seq) { return window * seq; }

// A stretch of tokens seen at once. The inputs are tokens [begin, begin + inputs), at positions 0,
// 1, ...; the target of each is the token after it. Predictions count from position `first` on:
// what lies before is context.
struct EvalWindow {
  int64_t begin = 0, inputs = 0, first = 0;

  int64_t predicted() const { return inputs - first; }
  bool operator==(const EvalWindow&) const = default;
};

// All whole windows of `tokens` tokens: WindowCount windows of seq inputs each.
std::vector<EvalWindow> ConsecutiveWindows(int64_t tokens, int64_t seq);

// Tokens [begin, end), every one but the first predicted once. The first window predicts seq
// tokens; each further one the next `stride` (the last one what remains), after as many tokens of
// context as fit into seq inputs. 0 < stride <= seq.
std::vector<EvalWindow> SlidingWindows(int64_t begin, int64_t end, int64_t seq, int64_t stride);

// Every document by itself: a document is a token `bos` and all that follows it, up to the next
// one; tokens before the first are left out. A document of more than seq predictions is covered by
// windows that share only their ends (the last one may be short) or, where `stride` is positive, by
// sliding ones. Empty if `bos` does not occur.
std::vector<EvalWindow> DocumentWindows(const TokenSource& tokens, int64_t bos, int64_t seq,
                                        int64_t stride);

}  // namespace millwright::data
