// Operations that combine the elements along some axes.
#pragma once

#include <cstdint>
#include <span>

#include "mil/ops/op.h"
#include "mil/ops/rules.h"

namespace millwright::mil {

// `x` reduced over `axes` (all where absent); reduced axes stay with length 1 where keep_dims.
Types InferReduce(const Call& call);

// Combines `count` adjacent elements, in row-major order of the reduced axes, into one.
using Reducer = double (*)(const double* values, size_t count, const Numerics& numerics);

Arrays ReduceAxes(const Call& call, const Type& result, const Numerics& numerics, Reducer reducer);

template <Reducer reducer>
Arrays EvaluateReduce(const Call& call, std::span<const Type> results, const Numerics& numerics) {
  return ReduceAxes(call, results[0], numerics, reducer);
}

}  // namespace millwright::mil
