// Operations that combine the elements along some axes.
#pragma once

#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

#include "mil/ops/op.h"
#include "mil/ops/rules.h"

namespace millwright::mil {

// The arguments of a reduction over several axes, and of one that gives an index along one axis.
std::vector<Param> ReduceParams();
std::vector<Param> ReduceArgParams();

// `x` reduced over `axes` (all where absent); reduced axes stay with length 1 where keep_dims.
Types InferReduce(const Call& call);

// Combines `count` adjacent elements, in row-major order of the reduced axes, into one.
using Reducer = double (*)(const double* values, size_t count, const Numerics& numerics);

// fn(x) summed over `count` elements as numerics sums.
template <class Fn>
double SumOf(const double* values, size_t count, const Numerics& numerics, const Fn& fn) {
  std::vector<double> terms(values, values + count);
  for (double& term : terms) term = fn(term);
  return numerics.Sum(terms.data(), 1, count);
}

using Better = bool (*)(double x, double best);

inline bool Larger(double x, double best) { return x > best; }
inline bool Smaller(double x, double best) { return x < best; }

// A Reducer: the element that is `better` than the others; NaN where there is one.
template <Better better>
double Best(const double* values, size_t count, const Numerics&) {
  double best = values[0];
  for (size_t i = 1; i < count; ++i) {
    if (std::isnan(values[i]) || better(values[i], best)) best = values[i];
  }
  return best;
}

// Of integers the integer part is kept.
Arrays ReduceAxes(const Call& call, const Type& result, const Numerics& numerics, Reducer reducer);

template <Reducer reducer>
Arrays EvaluateReduce(const Call& call, std::span<const Type> results, const Numerics& numerics) {
  return ReduceAxes(call, results[0], numerics, reducer);
}

// The index of an element of `x` along `axis` (-1 where absent), as `output_dtype`.
Types InferReduceArg(const Call& call);

// The first index whose element is `better` than all before it.
Arrays ReduceArg(const Call& call, const Type& result, Better better);

template <Better better>
Arrays EvaluateReduceArg(const Call& call, std::span<const Type> results, const Numerics&) {
  return ReduceArg(call, results[0], better);
}

}  // namespace millwright::mil
