// Loops over plain arrays that several host steps share.
#pragma once

#include <cstdint>

namespace millwright::math {

// sum x[i]^2 in double, in an order that depends on `count` and the number of threads only.
double SumOfSquares(int64_t count, const float* x);
double SumOfSquares(int64_t count, const double* x);

// True if no element is NaN or infinite.
bool AllFinite(int64_t count, const float* x);
bool AllFinite(int64_t count, const double* x);

// max |x[i]|; 0 for an empty array. NaN elements make the result NaN.
double MaxAbs(int64_t count, const float* x);
double MaxAbs(int64_t count, const double* x);

// x *= factor.
void Scale(int64_t count, double factor, float* x);
void Scale(int64_t count, double factor, double* x);

// y = a + factor * b. y may be a or b.
void AddScaled(int64_t count, const float* a, double factor, const float* b, float* y);
void AddScaled(int64_t count, const double* a, double factor, const double* b, double* y);

}  // namespace millwright::math
