#include "math/qk_norm.h"

#include <vector>

#include "math/rmsnorm_columns.h"
#include "math/scalar/qk_norm.h"

namespace millwright::math {

void QkNormBackward(int64_t heads, int64_t head_dim, int64_t seq, double eps, const float* dy,
                    const float* x, const float* w, float* dx, float* dw) {
  std::vector<float> inv_rms(static_cast<size_t>(seq));
  ForColumnsWithWeightGradient(head_dim, seq, dw, [&](const Columns& columns, float* part) {
    for (int64_t h = 0; h < heads; ++h) {
      const int64_t head = h * head_dim * seq;
      InverseRmsOfColumns(head_dim, columns, eps, x + head, inv_rms.data());
      RmsNormBackwardColumns(head_dim, columns, dy + head, x + head, w, inv_rms.data(), nullptr,
                             dx + head, part);
    }
  });
}

void QkNormBackward(int64_t heads, int64_t head_dim, int64_t seq, double eps, const double* dy,
                    const double* x, const double* w, double* dx, double* dw) {
  scalar::QkNormBackward(heads, head_dim, seq, eps, dy, x, w, dx, dw);
}

}  // namespace millwright::math
