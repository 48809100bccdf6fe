#include "math/adamw.h"

#include "math/scalar/adamw.h"

namespace millwright::math {

void AdamWUpdate(const AdamW& options, int64_t count, float* w, float* g, float* m, float* v) {
  scalar::AdamWUpdate(options, count, w, g, m, v);
}

void AdamWUpdate(const AdamW& options, int64_t count, double* w, double* g, double* m, double* v) {
  scalar::AdamWUpdate(options, count, w, g, m, v);
}

}  // namespace millwright::math
