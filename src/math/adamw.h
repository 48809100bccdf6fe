// One AdamW update of a tensor.
#pragma once

#include <cstdint>

#include "base/dtype.h"

namespace millwright::math {

struct AdamW {
  double lr = 3e-4;
  double beta1 = 0.9;
  double beta2 = 0.95;
  double eps = 1e-8;
  double weight_decay = 0.0;
  double grad_scale = 1.0;  // multiplies the gradient first: 1/(micro-steps * loss scale) * clip
  int64_t step = 1;         // 1 at the first update, for the bias correction
};

// g' = g*grad_scale; m = b1*m + (1-b1)*g'; v = b2*v + (1-b2)*g'^2;
// w -= lr * ( (m/(1-b1^step)) / (sqrt(v/(1-b2^step)) + eps) + weight_decay*w ).
// Reads four arrays and writes three, once: 28 bytes an element in fp32, 20 with moments in bf16.
// Source: Loshchilov and Hutter, "Decoupled Weight Decay Regularization", 2019.
void AdamWUpdate(const AdamW& options, int64_t count, float* w, const float* g, float* m, float* v);
void AdamWUpdate(const AdamW& options, int64_t count, double* w, const double* g, double* m,
                 double* v);

// The same with moments kept in bf16: computed in fp32, used for this step's w as computed, then
// rounded to nearest even.
void AdamWUpdate(const AdamW& options, int64_t count, float* w, const float* g, Bf16* m, Bf16* v);

}  // namespace millwright::math
