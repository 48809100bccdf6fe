#include "mil/ops/product.h"

#include <algorithm>
#include <vector>

#include "base/threads.h"

namespace millwright::mil {
namespace {

// A block of b, kBlockK x kBlockN doubles, stays in the second-level cache while all rows of a
// pass.
constexpr int64_t kBlockK = 64;
constexpr int64_t kBlockN = 256;
constexpr int64_t kRowGrain = 4;

// Four steps of k at once, added one after the other: the order of summation is that of a plain
// loop.
void AddFourRows(const double* a, const double* b, int64_t ldb, double* c, int64_t n) {
  const double a0 = a[0], a1 = a[1], a2 = a[2], a3 = a[3];
  const double* b0 = b;
  const double* b1 = b + ldb;
  const double* b2 = b + 2 * ldb;
  const double* b3 = b + 3 * ldb;
  for (int64_t j = 0; j < n; ++j) {
    c[j] = (((c[j] + a0 * b0[j]) + a1 * b1[j]) + a2 * b2[j]) + a3 * b3[j];
  }
}

void AddBlock(const double* a, int64_t lda, const double* b, double* c, int64_t ldb, int64_t rows,
              int64_t n, int64_t k) {
  for (int64_t i = 0; i < rows; ++i) {
    const double* row = a + i * lda;
    double* out = c + i * ldb;
    int64_t p = 0;
    for (; p + 4 <= k; p += 4) AddFourRows(row + p, b + p * ldb, ldb, out, n);
    for (; p < k; ++p) {
      for (int64_t j = 0; j < n; ++j) out[j] += row[p] * b[p * ldb + j];
    }
  }
}

void WideProduct(const double* a, const double* b, double* c, int64_t m, int64_t n, int64_t k) {
  ParallelFor(m, kRowGrain, [&](int64_t begin, int64_t end) {
    std::fill(c + begin * n, c + end * n, 0.0);
    for (int64_t j = 0; j < n; j += kBlockN) {
      for (int64_t p = 0; p < k; p += kBlockK) {
        AddBlock(a + begin * k + p, k, b + p * n + j, c + begin * n + j, n, end - begin,
                 std::min(kBlockN, n - j), std::min(kBlockK, k - p));
      }
    }
  });
}

// Fixed-point sums cannot be split; columns of b are laid out densely so that Dot runs along both.
void DotProduct(const Numerics& numerics, const double* a, const double* b, double* c, int64_t m,
                int64_t n, int64_t k) {
  std::vector<double> columns(static_cast<size_t>(n * k));
  for (int64_t p = 0; p < k; ++p) {
    for (int64_t j = 0; j < n; ++j) columns[static_cast<size_t>(j * k + p)] = b[p * n + j];
  }
  ParallelFor(m, kRowGrain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      for (int64_t j = 0; j < n; ++j) {
        c[i * n + j] =
            numerics.Dot(a + i * k, 1, columns.data() + j * k, 1, static_cast<size_t>(k));
      }
    }
  });
}

}  // namespace

void Product(const Numerics& numerics, const double* a, const double* b, double* c, int64_t m,
             int64_t n, int64_t k) {
  if (m == 0 || n == 0) return;
  if (numerics.precision() == Precision::kAne) {
    DotProduct(numerics, a, b, c, m, n, k);
    if (numerics.counters() != nullptr) numerics.counters()->Add(CountProducts(a, b, c, m, n, k));
  } else {
    WideProduct(a, b, c, m, n, k);
  }
}

}  // namespace millwright::mil
