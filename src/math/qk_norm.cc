#include "math/qk_norm.h"

#include "math/scalar/qk_norm.h"

namespace millwright::math {

void QkNormBackward(int64_t heads, int64_t head_dim, int64_t seq, double eps, const float* dy,
                    const float* x, const float* w, float* dx, float* dw) {
  scalar::QkNormBackward(heads, head_dim, seq, eps, dy, x, w, dx, dw);
}

void QkNormBackward(int64_t heads, int64_t head_dim, int64_t seq, double eps, const double* dy,
                    const double* x, const double* w, double* dx, double* dw) {
  scalar::QkNormBackward(heads, head_dim, seq, eps, dy, x, w, dx, dw);
}

}  // namespace millwright::math
