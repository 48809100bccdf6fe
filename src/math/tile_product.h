// Products of matrices that fit in a cache, for one thread (tile_product-inl.h carries them out).
#pragma once

#include <cstdint>

namespace millwright::math {

inline constexpr int64_t kTileRows = 6;

// C[rows, columns] (+)= A B with A(r, d) at a[r * row_stride + d * depth_stride] or, with `panels`,
// in panels of kTileRows rows, [rows / kTileRows][depth][kTileRows]. B and C are row-major.
struct TileProduct {
  int64_t rows = 0, columns = 0, depth = 0;
  const float* a = nullptr;
  int64_t row_stride = 0, depth_stride = 0;
  bool panels = false;
  const float* b = nullptr;
  int64_t ldb = 0;
  float* c = nullptr;
  int64_t ldc = 0;
  bool accumulate = false;
};

}  // namespace millwright::math
