// The embedding table: rows in, columns out, because activations are channel-first.
#pragma once

#include <cstdint>
#include <span>

namespace millwright::math {

// x[d, t] = table[rows[t], d]. table: [any, dim] row-major; x: [dim, rows.size()].
void EmbedForward(int64_t dim, std::span<const int32_t> rows, const float* table, float* x);
void EmbedForward(int64_t dim, std::span<const int32_t> rows, const double* table, double* x);

// dtable[rows[t], d] += dx[d, t], for t in order (a row may occur several times).
void EmbedBackward(int64_t dim, std::span<const int32_t> rows, const float* dx, float* dtable);
void EmbedBackward(int64_t dim, std::span<const int32_t> rows, const double* dx, double* dtable);

}  // namespace millwright::math
