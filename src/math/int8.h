// Matrix products in 8 bits: y = W x with W quantised by rows (output channels) and x by columns
// (tokens), both symmetric around zero with the scale absmax / 127, rounded to nearest even; exact
// sums in int32. Source: Wortsman et al., "Stable and low-precision training for large-scale
// vision-language models" (SwitchBack), 2023, with a scale for each row of W.
//
// A row or column with a NaN or an infinity has a scale that is neither a number, so that every
// element of y it reaches is NaN or infinite. One whose absmax is below 2^-119 counts as zero,
// since 127 / absmax would overflow.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace millwright::math {

// Rows of a block of W and columns of a panel of x: what one tile of the product is made of.
inline constexpr int64_t kInt8Rows = 12;
inline constexpr int64_t kInt8Columns = 32;
// The deepest product: its int32 sums cannot overflow.
inline constexpr int64_t kInt8MaxDepth = 65536;

// W [rows, depth] in `blocks` [rows/12][depth/4][12][4], padded with zeros; starts[i] is -128 times
// the sum of row i, what the offset of x must be paid back with.
struct Int8Weights {
  int64_t rows = 0, depth = 0;
  int8_t* blocks = nullptr;
  float* scales = nullptr;
  int32_t* starts = nullptr;
};

// x [depth, columns] in `panels` [columns/32][depth/4][32][4], padded with zeros; every value is
// stored plus 128, as the instruction wants it.
struct Int8Activations {
  int64_t depth = 0, columns = 0;
  uint8_t* panels = nullptr;
  float* scales = nullptr;
};

// What the two need, in bytes, a multiple of 64; and the two laid out in such memory, 64-byte
// aligned.
size_t Int8WeightsBytes(int64_t rows, int64_t depth);
size_t Int8ActivationsBytes(int64_t depth, int64_t columns);
Int8Weights Int8WeightsIn(int64_t rows, int64_t depth, std::byte* memory);
Int8Activations Int8ActivationsIn(int64_t depth, int64_t columns, std::byte* memory);

// Quantises W, whose element (i, j) lies at w[i * stride + j], or where `transposed` at
// w[j * stride + i].
void QuantizeWeights(const float* w, int64_t stride, bool transposed, const Int8Weights& to);

// Quantises W [rows, depth], row-major, by rows, and leaves it row-major: row i at to + i *
// to_stride, with zeros from `depth` up to the stride, a multiple of 4.
void QuantizeRowMajor(int64_t rows, int64_t depth, const float* w, int64_t stride, int8_t* to,
                      int64_t to_stride, float* scales);

// Quantises x, row-major with a row stride.
void QuantizeActivations(const float* x, int64_t stride, const Int8Activations& to);

// y, row-major with a row stride; `add`: y += W x instead of y = W x.
struct Int8Result {
  float* y = nullptr;
  int64_t stride = 0;
  bool add = false;
};

// y = W x, or y += W x. The same bits for any number of threads and any instruction set.
void Int8Gemm(const Int8Weights& w, const Int8Activations& x, const Int8Result& y);

// QuantizeWeights, then Int8Gemm; each part of W is multiplied while it lies in a cache.
void Int8GemmOfFresh(const float* w, int64_t stride, bool transposed, const Int8Weights& to,
                     const Int8Activations& x, const Int8Result& y);

// True if this CPU has an instruction for sums of four 8-bit products (x86: AVX-512 VNNI). Without
// it 8 bits are no faster than fp32.
bool HasInt8Dot();

// "int8:" and what the product is computed with: "vnni" or an instruction set.
std::string Int8GemmName();

}  // namespace millwright::math
