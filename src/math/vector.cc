#include "math/vector.h"

#include <cmath>

namespace millwright::math {
namespace {

template <class T>
double SumOfSquaresOf(int64_t count, const T* x) {
  double sum = 0;
  for (int64_t i = 0; i < count; ++i) sum += static_cast<double>(x[i]) * static_cast<double>(x[i]);
  return sum;
}

template <class T>
bool AllFiniteOf(int64_t count, const T* x) {
  for (int64_t i = 0; i < count; ++i) {
    if (!std::isfinite(x[i])) return false;
  }
  return true;
}

template <class T>
double MaxAbsOf(int64_t count, const T* x) {
  double maximum = 0;
  for (int64_t i = 0; i < count; ++i) {
    const double value = std::fabs(static_cast<double>(x[i]));
    if (value > maximum || std::isnan(value)) maximum = value;
    if (std::isnan(maximum)) return maximum;
  }
  return maximum;
}

template <class T>
void ScaleBy(int64_t count, double factor, T* x) {
  for (int64_t i = 0; i < count; ++i) x[i] *= static_cast<T>(factor);
}

template <class T>
void AddScaledTo(int64_t count, const T* a, double factor, const T* b, T* y) {
  for (int64_t i = 0; i < count; ++i) y[i] = a[i] + static_cast<T>(factor) * b[i];
}

}  // namespace

double SumOfSquares(int64_t count, const float* x) { return SumOfSquaresOf(count, x); }
double SumOfSquares(int64_t count, const double* x) { return SumOfSquaresOf(count, x); }
bool AllFinite(int64_t count, const float* x) { return AllFiniteOf(count, x); }
bool AllFinite(int64_t count, const double* x) { return AllFiniteOf(count, x); }
double MaxAbs(int64_t count, const float* x) { return MaxAbsOf(count, x); }
double MaxAbs(int64_t count, const double* x) { return MaxAbsOf(count, x); }
void Scale(int64_t count, double factor, float* x) { ScaleBy(count, factor, x); }
void Scale(int64_t count, double factor, double* x) { ScaleBy(count, factor, x); }

void AddScaled(int64_t count, const float* a, double factor, const float* b, float* y) {
  AddScaledTo(count, a, factor, b, y);
}

void AddScaled(int64_t count, const double* a, double factor, const double* b, double* y) {
  AddScaledTo(count, a, factor, b, y);
}

}  // namespace millwright::math
