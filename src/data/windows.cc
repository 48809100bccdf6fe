#include "data/windows.h"

#include <algorithm>

namespace millwright::data {
namespace {

constexpr int64_t kChunk = 1 << 16;

// Where `bos` occurs, and the end of the data.
std::vector<int64_t> DocumentBounds(const TokenSource& tokens, int64_t bos) {
  std::vector<int64_t> bounds;
  std::vector<int32_t> chunk;
  for (int64_t offset = 0; offset < tokens.size(); offset += kChunk) {
    chunk.resize(static_cast<size_t>(std::min(kChunk, tokens.size() - offset)));
    tokens.Copy(offset, chunk);
    for (size_t i = 0; i < chunk.size(); ++i) {
      if (chunk[i] == bos) bounds.push_back(offset + static_cast<int64_t>(i));
    }
  }
  bounds.push_back(tokens.size());
  return bounds;
}

}  // namespace

std::vector<EvalWindow> ConsecutiveWindows(int64_t tokens, int64_t seq) {
  std::vector<EvalWindow> windows;
  for (int64_t w = 0; w < WindowCount(tokens, seq); ++w) {
    windows.push_back({.begin = WindowBegin(w, seq), .inputs = seq});
  }
  return windows;
}

std::vector<EvalWindow> SlidingWindows(int64_t begin, int64_t end, int64_t seq, int64_t stride) {
  std::vector<EvalWindow> windows;
  const int64_t predictions = end - begin - 1;
  for (int64_t done = 0; done < predictions;) {
    const int64_t take = std::min(done == 0 ? seq : stride, predictions - done);
    const int64_t inputs = std::min(seq, done + take);
    windows.push_back(
        {.begin = begin + done + take - inputs, .inputs = inputs, .first = inputs - take});
    done += take;
  }
  return windows;
}

std::vector<EvalWindow> DocumentWindows(const TokenSource& tokens, int64_t bos, int64_t seq,
                                        int64_t stride) {
  std::vector<EvalWindow> windows;
  const std::vector<int64_t> bounds = DocumentBounds(tokens, bos);
  for (size_t d = 0; d + 1 < bounds.size(); ++d) {
    if (stride > 0) {
      const auto sliding = SlidingWindows(bounds[d], bounds[d + 1], seq, stride);
      windows.insert(windows.end(), sliding.begin(), sliding.end());
      continue;
    }
    for (int64_t begin = bounds[d]; begin + 1 < bounds[d + 1]; begin += seq) {
      windows.push_back({.begin = begin, .inputs = std::min(seq, bounds[d + 1] - 1 - begin)});
    }
  }
  return windows;
}

}  // namespace millwright::data
