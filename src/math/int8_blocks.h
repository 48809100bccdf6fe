// The parts of products in 8 bits, on the thread that calls: blocks of kInt8Rows rows of W.
#pragma once

#include "math/int8.h"

namespace millwright::math {

// Blocks that are quantised together: few enough for a strip of W^T, 96 of its columns, to stay in
// the second-level cache between the two looks at it.
inline constexpr int64_t kInt8StripBlocks = 8;

// Quantises the blocks [begin, end), as QuantizeWeights does all of them.
void QuantizeBlocks(const float* w, int64_t stride, bool transposed, const Int8Weights& to,
                    int64_t begin, int64_t end);

// Their rows of y.
void MultiplyBlocks(const Int8Weights& w, const Int8Activations& x, const Int8Result& y,
                    int64_t begin, int64_t end);

}  // namespace millwright::math
