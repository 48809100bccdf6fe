#include "math/swiglu.h"

#include "math/scalar/swiglu.h"

namespace millwright::math {

void SwigluBackward(int64_t count, const float* dgate, const float* h1, const float* h3, float* dh1,
                    float* dh3) {
  scalar::SwigluBackward(count, dgate, h1, h3, dh1, dh3);
}

void SwigluBackward(int64_t count, const double* dgate, const double* h1, const double* h3,
                    double* dh1, double* dh3) {
  scalar::SwigluBackward(count, dgate, h1, h3, dh1, dh3);
}

}  // namespace millwright::math
