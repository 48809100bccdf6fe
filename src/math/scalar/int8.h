// The scalar twin of int8.h: the definition, on plain arrays.
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

namespace millwright::math::scalar {

// A matrix [lines, depth] of whole numbers in [-127, 127] and a scale for each line.
struct Quantized {
  int64_t lines = 0, depth = 0;
  std::vector<int32_t> values;
  std::vector<float> scales;
};

inline float Int8Scale(float absmax) { return absmax / 127.0f; }
inline float Int8Inverse(float absmax) { return absmax < 0x1p-119f ? 0.0f : 127.0f / absmax; }

// Element (i, j) of the lines lies at x[i * line_stride + j * depth_stride]. Finite numbers only.
inline Quantized Quantize(int64_t lines, int64_t depth, const float* x, int64_t line_stride,
                          int64_t depth_stride) {
  Quantized result{.lines = lines, .depth = depth, .values = {}, .scales = {}};
  for (int64_t i = 0; i < lines; ++i) {
    const float* line = x + i * line_stride;
    float absmax = 0;
    for (int64_t j = 0; j < depth; ++j) {
      absmax = std::fmax(absmax, std::fabs(line[j * depth_stride]));
    }
    result.scales.push_back(Int8Scale(absmax));
    for (int64_t j = 0; j < depth; ++j) {
      const float scaled = line[j * depth_stride] * Int8Inverse(absmax);
      result.values.push_back(static_cast<int32_t>(std::nearbyint(scaled)));
    }
  }
  return result;
}

// y = w x for w [rows, depth] and x given by columns, [columns, depth].
inline void Int8Gemm(const Quantized& w, const Quantized& x, float* y, int64_t stride) {
  for (int64_t i = 0; i < w.lines; ++i) {
    for (int64_t c = 0; c < x.lines; ++c) {
      int32_t sum = 0;
      for (int64_t j = 0; j < w.depth; ++j) {
        sum += w.values[static_cast<size_t>(i * w.depth + j)] *
               x.values[static_cast<size_t>(c * x.depth + j)];
      }
      y[i * stride + c] = static_cast<float>(sum) *
                          (w.scales[static_cast<size_t>(i)] * x.scales[static_cast<size_t>(c)]);
    }
  }
}

}  // namespace millwright::math::scalar
