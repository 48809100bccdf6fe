// What the scalar twins need to run on real and on complex numbers alike: the gradient oracle takes
// derivatives by complex steps, so branches and maxima look at the real part.
#pragma once

#include <complex>

namespace millwright::math::scalar {

inline float RealPart(float x) { return x; }
inline double RealPart(double x) { return x; }
inline double RealPart(const std::complex<double>& x) { return x.real(); }

// A real constant as a T.
template <class T>
T Constant(double value) {
  return static_cast<T>(value);
}

}  // namespace millwright::math::scalar
