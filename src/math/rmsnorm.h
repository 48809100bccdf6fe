// RMSNorm over channels of a channel-first activation, forward and backward.
#pragma once

#include <cstdint>

namespace millwright::math {

// y[c,s] = x[c,s] * r[s] * w[c] with r[s] = 1/sqrt(mean_c x[c,s]^2 + eps).
// x, y: [channels, seq]; w: [channels]; inv_rms: [seq], written for the backward step.
// Source: Zhang and Sennrich, "Root Mean Square Layer Normalization", 2019.
void RmsNorm(int64_t channels, int64_t seq, double eps, const float* x, const float* w, float* y,
             float* inv_rms);
void RmsNorm(int64_t channels, int64_t seq, double eps, const double* x, const double* w, double* y,
             double* inv_rms);

// dx[c,s] = r * (w*dy - x * (sum_c w*dy*x) * r^2 / channels) + skip[c,s], and dw[c] += sum_s
// dy*x*r. `skip` (the gradient of the residual path) may be null, and may be dx or dy; `dw` may be
// null where it is not wanted.
void RmsNormBackward(int64_t channels, int64_t seq, const float* dy, const float* x, const float* w,
                     const float* inv_rms, const float* skip, float* dx, float* dw);
void RmsNormBackward(int64_t channels, int64_t seq, const double* dy, const double* x,
                     const double* w, const double* inv_rms, const double* skip, double* dx,
                     double* dw);

// dw[c] += sum_s dy*x*r alone, for where the rest is done elsewhere.
void RmsNormWeightGradient(int64_t channels, int64_t seq, const float* dy, const float* x,
                           const float* inv_rms, float* dw);
void RmsNormWeightGradient(int64_t channels, int64_t seq, const double* dy, const double* x,
                           const double* inv_rms, double* dw);

}  // namespace millwright::math
