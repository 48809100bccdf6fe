// How evaluation covers data: consecutive windows, each predicting its own next tokens.
#pragma once

#include <cstdint>

namespace millwright::data {

// The number of whole windows of seq + 1 tokens that share only their ends; a last short window is
// dropped. seq must be positive.
constexpr int64_t WindowCount(int64_t tokens, int64_t seq) {
  return tokens > 0 ? (tokens - 1) / seq : 0;
}

// Window w covers tokens [WindowBegin(w), WindowBegin(w) + seq]: the first seq are the inputs, the
// last seq the targets, shifted by one.
constexpr int64_t WindowBegin(int64_t window, int64_t seq) { return window * seq; }

}  // namespace millwright::data
