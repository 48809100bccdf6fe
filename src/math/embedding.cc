#include "math/embedding.h"

#include "math/scalar/embedding.h"

namespace millwright::math {

void EmbedForward(int64_t dim, std::span<const int32_t> rows, const float* table, float* x) {
  scalar::EmbedForward(dim, rows, table, x);
}

void EmbedForward(int64_t dim, std::span<const int32_t> rows, const double* table, double* x) {
  scalar::EmbedForward(dim, rows, table, x);
}

void EmbedBackward(int64_t dim, std::span<const int32_t> rows, const float* dx, float* dtable) {
  scalar::EmbedBackward(dim, rows, dx, dtable);
}

void EmbedBackward(int64_t dim, std::span<const int32_t> rows, const double* dx, double* dtable) {
  scalar::EmbedBackward(dim, rows, dx, dtable);
}

}  // namespace millwright::math
