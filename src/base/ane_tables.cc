#include "base/ane_tables.h"

#include <array>
#include <cmath>
#include <cstddef>

#include "base/numerics.h"

namespace millwright {
namespace {

constexpr int kSegments = 32;
using Samples = std::array<double, kSegments + 1>;

double ToHalf(double value) { return Numerics(Precision::kAne).Round(value, DType::kFp16); }

// Straight lines between samples at low, low + step, ...
struct Table {
  double low = 0, step = 0;
  Samples samples = {};

  double high() const { return low + kSegments * step; }

  // `x` inside [low, high].
  double At(double x) const {
    const double position = (x - low) / step;
    const auto segment = static_cast<size_t>(std::fmin(std::floor(position), kSegments - 1));
    const double fraction = position - static_cast<double>(segment);
    return samples[segment] + fraction * (samples[segment + 1] - samples[segment]);
  }
};

template <class Fn>
Table Sampled(double low, double step, const Fn& fn) {
  Table table{low, step, {}};
  for (size_t i = 0; i <= kSegments; ++i) {
    table.samples[i] = ToHalf(fn(low + static_cast<double>(i) * step));
  }
  return table;
}

// Samples that lie on the tangents of fn at the middles of their segments, on average.
template <class Fn, class Slope>
Table Fitted(double low, double step, const Fn& fn, const Slope& slope) {
  return Sampled(low, step, [&](double x) {
    const double left = x - step / 2, right = x + step / 2;
    return (fn(left) + slope(left) * step / 2 + fn(right) - slope(right) * step / 2) / 2;
  });
}

double Sigmoid(double x) { return 1.0 / (1.0 + std::exp(-x)); }
double NormalCdf(double x) { return 0.5 * std::erfc(-x / std::sqrt(2.0)); }
double NormalDensity(double x) { return std::exp(-x * x / 2) / std::sqrt(2 * std::acos(-1.0)); }

}  // namespace

double AneSigmoid(double x) {
  static const Table table = Sampled(-8.0, 0.5, Sigmoid);
  if (x < table.low) return 0.0;
  return x > table.high() ? 1.0 : table.At(x);
}

double AneTanh(double x) {
  static const Table table = Sampled(0.0, 0.125, [](double v) { return std::tanh(v); });
  const double size = std::fabs(x);
  return std::copysign(size > table.high() ? 1.0 : table.At(size), x);
}

double AneExp(double x) {
  static const Table table = Sampled(0.0, 1.0 / kSegments, [](double v) { return std::exp2(v); });
  const double power = ToHalf(x * 1.4426950408889634);
  if (!std::isfinite(power)) return power > 0 ? power : 0.0;
  const double whole = std::floor(power);
  return std::ldexp(table.At(power - whole), static_cast<int>(whole));
}

double AneGelu(double x) {
  static const Table table = Fitted(
      -4.0, 0.25, [](double v) { return v * NormalCdf(v); },
      [](double v) { return NormalCdf(v) + v * NormalDensity(v); });
  if (x < table.low) return 0.0;
  return x > table.high() ? x : table.At(x);
}

double AneSilu(double x) {
  static const Table table = Fitted(
      -8.0, 0.5, [](double v) { return v * Sigmoid(v); },
      [](double v) { return Sigmoid(v) * (1.0 + v * (1.0 - Sigmoid(v))); });
  if (x < table.low) return 0.0;
  return x > table.high() ? x : table.At(x);
}

}  // namespace millwright
