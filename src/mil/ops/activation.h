// Activation functions with one or two constant parameters.
#pragma once

#include <span>

#include "mil/ops/elementwise.h"

namespace millwright::mil {

// fn(x, alpha), element by element.
template <double (*fn)(double, double)>
Arrays EvaluateAlpha(const Call& call, std::span<const Type> results, const Numerics&) {
  const double alpha = call.Float("alpha", 0.0);
  const auto apply = [alpha](double x) { return fn(x, alpha); };
  return std::vector<Array>{MapElements(call.array("x"), results[0], apply)};
}

// fn(x, alpha, beta), element by element.
template <double (*fn)(double, double, double)>
Arrays EvaluateAlphaBeta(const Call& call, std::span<const Type> results, const Numerics&) {
  const double alpha = call.Float("alpha", 0.0);
  const double beta = call.Float("beta", 0.0);
  const auto apply = [alpha, beta](double x) { return fn(x, alpha, beta); };
  return std::vector<Array>{MapElements(call.array("x"), results[0], apply)};
}

}  // namespace millwright::mil
