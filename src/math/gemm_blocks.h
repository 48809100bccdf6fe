// The blocks of which a packed SGEMM is made, in this machine's vectors: blocks of B in panels of
// two vectors' width that stay in the second-level cache, blocks of A in panels of a few rows, and
// a kernel that keeps one tile of C in registers. Source of the blocking: Goto and van de Geijn,
// "Anatomy of High-Performance Matrix Multiplication", 2008.
#pragma once

#include "math/gemm.h"

namespace millwright::math {

inline constexpr int64_t kGemmDepth =
    256;  // of a block of A and B, at most: 40 KiB of a panel of B
inline constexpr int64_t kMaxGemmTileColumns = 32;

// The tile of C that the kernel holds in registers.
struct GemmTile {
  int64_t rows = 0, columns = 0;
};

// One block of the product: C[rows, first_column...] += A[rows, depth] * B[depth, columns].
struct GemmBlock {
  int64_t first_row = 0, rows = 0;
  int64_t first_column = 0, columns = 0;
  int64_t first_depth = 0, depth = 0;
  bool add = false;  // to C, instead of overwriting it
};

GemmTile TileOfGemm();

// The name of the instructions that the blocks are computed with.
const char* TargetOfGemm();

// Packs `columns` columns of op(B) from its element `b` as one panel [depth][tile columns], padded
// with zeros.
void PackPanelOfB(const GemmShape& shape, const float* b, int64_t columns, int64_t depth,
                  float* to);

// Floats that MultiplyBlock packs a block of A into.
int64_t GemmScratchFloats();

// One block of C from A and the packed panels of B; `scratch` holds GemmScratchFloats() floats at a
// multiple of the vectors' size, and `after` is the block that follows, if one does: what it needs
// of A is asked for in time.
void MultiplyBlock(const GemmShape& shape, const GemmBlock& block, const GemmBlock* after,
                   const float* a, const float* packed_b, float* scratch, float* c);

}  // namespace millwright::math
