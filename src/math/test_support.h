// What the tests of this folder share: seeded arrays, arrays with guards around them, and a way to
// run a test on each instruction set that this CPU has.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <complex>
#include <cstdint>
#include <type_traits>
#include <vector>

#include "base/dtype.h"
#include "base/rng.h"
#include "base/threads.h"
#include "math/simd.h"

#include "hwy/highway.h"

namespace millwright::math::testing {

using Complex = std::complex<double>;

// Normal values; another `stream` gives others.
inline std::vector<double> Normals(int64_t count, uint64_t stream) {
  const Rng rng(7, stream);
  std::vector<double> values(static_cast<size_t>(count));
  for (int64_t i = 0; i < count; ++i) {
    values[static_cast<size_t>(i)] = static_cast<float>(rng.Normal(i));
  }
  return values;
}

template <class T, class From>
std::vector<T> As(const std::vector<From>& from) {
  std::vector<T> to;
  to.reserve(from.size());
  for (const From& value : from) to.push_back(static_cast<T>(value));
  return to;
}

// An array at an odd offset with guard elements on both sides.
template <class T>
class Guarded {
 public:
  Guarded(const std::vector<T>& values, int64_t offset)
      : offset_(offset + kGuard), size_(static_cast<int64_t>(values.size())) {
    storage_.assign(static_cast<size_t>(offset_ + size_ + kGuard), Sentinel());
    std::copy(values.begin(), values.end(), data());
  }

  T* data() { return storage_.data() + offset_; }
  std::vector<T> values() const {
    const auto first = storage_.begin() + offset_;
    return {first, first + size_};
  }
  bool Intact() const {
    const auto first = storage_.begin() + offset_;
    const auto is_guard = [](const T& value) { return value == Sentinel(); };
    return std::all_of(storage_.begin(), first, is_guard) &&
           std::all_of(first + size_, storage_.end(), is_guard);
  }

 private:
  static constexpr int64_t kGuard = 40;
  static T Sentinel() {
    if constexpr (std::is_same_v<T, Bf16>) {
      return {.bits = 12345};
    } else {
      return static_cast<T>(12345.5);
    }
  }

  int64_t offset_, size_;
  std::vector<T> storage_;
};

// Runs `fn` on each instruction set that this CPU has and this build was made for.
template <class Fn>
void OnEachTarget(const Fn& fn) {
  const int64_t all = hwy::SupportedTargets();
  for (int64_t bits = all & HWY_TARGETS; bits != 0; bits &= bits - 1) {
    const int64_t target = bits & -bits;
    SCOPED_TRACE(hwy::TargetName(target));
    hwy::GetChosenTarget().Update(target);
    fn();
  }
  hwy::GetChosenTarget().Update(all);
}

// The widest vectors hold 16 floats: twice that and one more covers every remainder of a loop.
constexpr int64_t kTwoVectors = 33;

// dL/dx[i] of loss(x) by complex steps: exact but for rounding. Source: Squire and Trapp, "Using
// Complex Variables to Estimate Derivatives of Real Functions", 1998.
template <class Loss>
std::vector<double> ComplexStepGradient(const std::vector<double>& x, const Loss& loss) {
  constexpr double kStep = 1e-30;
  auto point = As<Complex>(x);
  std::vector<double> gradient;
  for (size_t i = 0; i < x.size(); ++i) {
    point[i] = Complex(x[i], kStep);
    gradient.push_back(loss(point).imag() / kStep);
    point[i] = x[i];
  }
  return gradient;
}

// sum_i weights[i] * y[i]: a loss whose gradient with respect to y is `weights`.
inline Complex Weighted(const std::vector<double>& weights, const std::vector<Complex>& y) {
  Complex sum = 0;
  for (size_t i = 0; i < y.size(); ++i) sum += weights[i] * y[i];
  return sum;
}

}  // namespace millwright::math::testing
