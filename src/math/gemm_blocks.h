// The parts that a packed SGEMM is made of, in this machine's vectors: panels of B, a few vectors
// wide and short enough for the first-level cache, and a kernel that keeps one tile of C in
// registers while it runs along them. A is read where it lies.
#pragma once

#include <cstdint>

namespace millwright::math {

inline constexpr int64_t kMaxGemmTileColumns = 48;

// The tile of C that the kernel holds in registers. A panel is as wide.
struct GemmTile {
  int64_t rows = 0, columns = 0;
};

GemmTile TileOfGemm();

// The name of the instructions that the parts are made of.
const char* TargetOfGemm();

// A part of op(B): element (p, j) lies at data[p * ld + j], or data[j * ld + p] if transposed.
struct BlockOfB {
  const float* data = nullptr;
  int64_t ld = 0;
  bool transposed = false;
  int64_t depth = 0, columns = 0;  // columns: at most a tile's
};

// Memory that will be needed soon: `rows` rows of `columns` floats. The kernel asks for its lines
// while it computes, so that nobody waits for them later.
struct Lookahead {
  const float* data = nullptr;
  int64_t ld = 0;
  int64_t rows = 0, columns = 0;
  bool to_write = false;
};

// As a panel, [depth][tile columns], padded with zeros; `to` lies at a multiple of 64 bytes.
void PackPanel(const BlockOfB& b, float* to);

// C[rows, columns] = A[rows, depth] * panel, or += where `add`. Element (i, p) of A lies at
// a[i * lda + p] or, transposed, at a[p * lda + i]. The order in which an element of C is summed
// does not depend on the shape.
struct PanelProduct {
  int64_t rows = 0, columns = 0, depth = 0;  // columns: at most a tile's
  const float* a = nullptr;
  int64_t lda = 0;
  bool transpose_a = false;
  const float* panel = nullptr;
  float* c = nullptr;
  int64_t ldc = 0;
  bool add = false;
};

void MultiplyPanel(const PanelProduct& product, const Lookahead& ahead);

// to[column * ld + row] = from[row * stride + column].
void TransposeBlock(const float* from, int64_t stride, int64_t rows, int64_t columns, float* to,
                    int64_t ld);

}  // namespace millwright::math
