// How far two results may lie apart: the one place where the tolerances of tests come from. Every
// bound is derived from the unit roundoff of a type and from sizes and norms, never chosen by hand.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "base/dtype.h"

namespace millwright {

// The unit roundoff u: a correctly rounded result is within u * |result| of the exact one.
// 2^-11 fp16, 2^-8 bf16, 2^-24 fp32, 2^-53 fp64; 0 for the other types.
double UnitRoundoff(DType dtype);

// The smallest positive (subnormal) number: the absolute error that underflow adds to an operation.
double SmallestPositive(DType dtype);

// gamma_n = n*u / (1 - n*u): the relative error of n chained roundings; infinity from n*u = 1 on.
// Source: Higham, "Accuracy and Stability of Numerical Algorithms", 2002, lemma 3.1.
double Gamma(DType dtype, int64_t n);

// |computed - exact| of a dot product of k terms, summed in any order in `dtype`, and added to and
// rounded once more: gamma_(k+2) * norm_a * norm_b, the 2-norms of the two operands, plus
// underflow. Source: Higham 2002, equation 3.5 with the inequality of Cauchy and Schwarz.
double DotTolerance(DType dtype, int64_t k, double norm_a, double norm_b);

// |computed - exact| of a sum of k terms in any order: gamma_k * sum |x_i|.
double SumTolerance(DType dtype, int64_t k, double sum_of_magnitudes);

// The most by which an element moves when an array whose largest magnitude is `absmax` is rounded
// to multiples of absmax / 127, in fp32: half a step, and four roundings of up to 127 steps.
double Int8Step(double absmax);

// |computed - exact| of a dot product of two arrays, both rounded so and summed exactly, scaled in
// fp32: |a| * step_b + |b| * step_a + k * step_a * step_b, and four roundings of the result.
double Int8DotTolerance(std::span<const double> a, std::span<const double> b);

// sqrt(sum x^2), summed in double.
template <class T>
double Norm2(std::span<const T> x) {
  double sum = 0;
  for (const T& value : x) sum += static_cast<double>(value) * static_cast<double>(value);
  return std::sqrt(sum);
}

// |actual - expected| / max(|expected|, floor).
double RelativeError(double actual, double expected, double floor = 0x1p-1022);

// ||actual - expected|| / ||expected||; the numerator alone where expected is zero; NaN if the
// sizes differ.
template <class A, class B>
double NormError(std::span<const A> actual, std::span<const B> expected) {
  if (actual.size() != expected.size()) return std::nan("");
  double difference = 0, norm = 0;
  for (size_t i = 0; i < actual.size(); ++i) {
    const double e = static_cast<double>(expected[i]), d = static_cast<double>(actual[i]) - e;
    difference += d * d;
    norm += e * e;
  }
  return norm > 0 ? std::sqrt(difference / norm) : std::sqrt(difference);
}

// The same for containers.
template <class A, class B>
double NormError(const A& actual, const B& expected) {
  return NormError(std::span(std::data(actual), std::size(actual)),
                   std::span(std::data(expected), std::size(expected)));
}

// How many representable numbers lie between a and b (0: equal, +0 and -0 count as equal); the
// largest int64 where one of them is NaN and the other is not.
int64_t UlpDistance(float a, float b);
int64_t UlpDistance(double a, double b);
int64_t UlpDistance(Fp16 a, Fp16 b);

// An element passes if |actual - expected| <= absolute + relative * |expected|. NaN passes against
// NaN only, an infinity against the same infinity only.
struct Tolerance {
  double absolute = 0;
  double relative = 0;

  double For(double expected) const { return absolute + relative * std::fabs(expected); }
};

// What a comparison found: the element whose error is the largest share of its tolerance.
struct Comparison {
  bool ok = true;
  size_t failures = 0;     // elements out of tolerance
  size_t size = 0;         // elements compared
  size_t worst_index = 0;  // of the worst element, which the next fields describe
  double actual = 0, expected = 0, error = 0, tolerance = 0;
  bool sizes_differ = false;
  size_t actual_size = 0, expected_size = 0;

  explicit operator bool() const { return ok; }

  // "3 of 100 differ; worst at [17]: 1.5 for 1.25, error 0.25, tolerance 1e-06".
  std::string Message() const;

  // Takes one more element into account.
  void Add(size_t index, double actual_value, double expected_value, const Tolerance& limits);

 private:
  double worst_share_ = -1;
};

// Compares element by element: EXPECT_TRUE(c.ok) << c.Message().
template <class A, class B>
Comparison Compare(std::span<const A> actual, std::span<const B> expected,
                   const Tolerance& limits) {
  Comparison result;
  result.actual_size = actual.size();
  result.expected_size = expected.size();
  result.sizes_differ = actual.size() != expected.size();
  if (result.sizes_differ) result.ok = false;
  for (size_t i = 0; i < std::min(actual.size(), expected.size()); ++i) {
    result.Add(i, static_cast<double>(actual[i]), static_cast<double>(expected[i]), limits);
  }
  return result;
}

// The same for containers.
template <class A, class B>
Comparison Compare(const A& actual, const B& expected, const Tolerance& limits) {
  return Compare(std::span(std::data(actual), std::size(actual)),
                 std::span(std::data(expected), std::size(expected)), limits);
}

}  // namespace millwright
