// Backward of the gate gate = silu(h1) * h3.
#pragma once

#include <cstdint>

namespace millwright::math {

// With s = sigmoid(h1): dh3 = dgate * h1 * s, dh1 = dgate * h3 * s * (1 + h1 * (1 - s)).
// All arrays have `count` elements; dh1 and dh3 may be any of the inputs.
// Source: Shazeer, "GLU Variants Improve Transformer", 2020.
void SwigluBackward(int64_t count, const float* dgate, const float* h1, const float* h3, float* dh1,
                    float* dh3);
void SwigluBackward(int64_t count, const double* dgate, const double* h1, const double* h3,
                    double* dh1, double* dh3);

}  // namespace millwright::math
