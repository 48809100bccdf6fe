#include "math/embedding.h"

#include <algorithm>

#include "base/threads.h"
#include "math/scalar/embedding.h"

namespace millwright::math {
namespace {

constexpr int64_t kTokens = 16;    // a cache line of positions
constexpr int64_t kChannels = 64;  // rows of dx that are read side by side

// Gathers whole cache lines of x: kTokens positions of one channel.
template <class T>
void EmbedChannels(int64_t begin, int64_t end, int64_t dim, std::span<const int32_t> rows,
                   const T* table, T* x) {
  const auto seq = static_cast<int64_t>(rows.size());
  for (int64_t first = 0; first < seq; first += kTokens) {
    const int64_t last = std::min(first + kTokens, seq);
    const T* from[kTokens] = {};
    for (int64_t t = first; t < last; ++t) from[t - first] = table + rows[t] * dim;
    for (int64_t d = begin; d < end; ++d) {
      T* to = x + d * seq + first;
      for (int64_t t = 0; t < last - first; ++t) to[t] = from[t][d];
    }
  }
}

template <class T>
void AddChannels(int64_t begin, int64_t end, int64_t dim, std::span<const int32_t> rows,
                 const T* dx, T* dtable) {
  const auto seq = static_cast<int64_t>(rows.size());
  for (int64_t first = begin; first < end; first += kChannels) {
    const int64_t last = std::min(first + kChannels, end);
    for (int64_t t = 0; t < seq; ++t) {
      T* to = dtable + rows[t] * dim;
      for (int64_t d = first; d < last; ++d) to[d] += dx[d * seq + t];
    }
  }
}

}  // namespace

void EmbedForward(int64_t dim, std::span<const int32_t> rows, const float* table, float* x) {
  ParallelFor(dim, kTokens,
              [&](int64_t begin, int64_t end) { EmbedChannels(begin, end, dim, rows, table, x); });
}

void EmbedForward(int64_t dim, std::span<const int32_t> rows, const double* table, double* x) {
  scalar::EmbedForward(dim, rows, table, x);
}

// Each thread owns some channels of the table, so the order of additions is that of the positions.
void EmbedBackward(int64_t dim, std::span<const int32_t> rows, const float* dx, float* dtable) {
  ParallelFor(dim, kTokens,
              [&](int64_t begin, int64_t end) { AddChannels(begin, end, dim, rows, dx, dtable); });
}

void EmbedBackward(int64_t dim, std::span<const int32_t> rows, const double* dx, double* dtable) {
  scalar::EmbedBackward(dim, rows, dx, dtable);
}

}  // namespace millwright::math
