#include "math/rmsnorm.h"

#include "math/scalar/rmsnorm.h"

namespace millwright::math {

void RmsNorm(int64_t channels, int64_t seq, double eps, const float* x, const float* w, float* y,
             float* inv_rms) {
  scalar::RmsNorm(channels, seq, eps, x, w, y, inv_rms);
}

void RmsNorm(int64_t channels, int64_t seq, double eps, const double* x, const double* w, double* y,
             double* inv_rms) {
  scalar::RmsNorm(channels, seq, eps, x, w, y, inv_rms);
}

void RmsNormBackward(int64_t channels, int64_t seq, const float* dy, const float* x, const float* w,
                     const float* inv_rms, const float* skip, float* dx, float* dw) {
  scalar::RmsNormBackward(channels, seq, dy, x, w, inv_rms, skip, dx, dw);
}

void RmsNormBackward(int64_t channels, int64_t seq, const double* dy, const double* x,
                     const double* w, const double* inv_rms, const double* skip, double* dx,
                     double* dw) {
  scalar::RmsNormBackward(channels, seq, dy, x, w, inv_rms, skip, dx, dw);
}

}  // namespace millwright::math
