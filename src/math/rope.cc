#include "math/rope.h"

#include <cmath>

#include "math/scalar/rope.h"

namespace millwright::math {

RopeTables MakeRopeTables(int64_t seq, int64_t head_dim, double theta) {
  RopeTables tables{seq, head_dim, {}, {}};
  const int64_t half = head_dim / 2;
  tables.cos.resize(static_cast<size_t>(seq * half));
  tables.sin.resize(static_cast<size_t>(seq * half));
  for (int64_t i = 0; i < half; ++i) {
    const double frequency =
        std::pow(theta, -2.0 * static_cast<double>(i) / static_cast<double>(head_dim));
    for (int64_t s = 0; s < seq; ++s) {
      const double angle = static_cast<double>(s) * frequency;
      tables.cos[s * half + i] = std::cos(angle);
      tables.sin[s * half + i] = std::sin(angle);
    }
  }
  return tables;
}

void Rope(const RopeTables& tables, int64_t heads, bool half_split, bool inverse, float* x) {
  scalar::Rope(tables, heads, half_split, inverse, x);
}

void Rope(const RopeTables& tables, int64_t heads, bool half_split, bool inverse, double* x) {
  scalar::Rope(tables, heads, half_split, inverse, x);
}

}  // namespace millwright::math
