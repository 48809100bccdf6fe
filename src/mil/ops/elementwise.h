// Operations that treat every element alike.
#pragma once

#include <array>
#include <span>

#include "base/threads.h"
#include "mil/ops/op.h"
#include "mil/ops/rules.h"
#include "mil/ops/walk.h"

namespace millwright::mil {

// `x` is a float; the result has its type.
Types InferUnary(const Call& call);

// The same, or an int32.
Types InferNumericUnary(const Call& call);

// `x` and `y` are fp16, fp32 or int32, of one dtype, broadcast together.
Types InferBinary(const Call& call);

// The same for floats only.
Types InferFloatBinary(const Call& call);

// As InferBinary, but the result is a bool.
Types InferComparison(const Call& call);

// `x` and `y` are bools, broadcast together.
Types InferLogical(const Call& call);

// Below this many elements a second thread costs more than it saves.
inline constexpr int64_t kElementwiseGrain = 8192;

// An array of `type` with fn(x) for every element of `x`.
template <class Fn>
Array MapElements(const Array& x, const Type& type, const Fn& fn) {
  Array result = NewArray(type);
  const double* in = x.data.data();
  double* out = result.data.data();
  ParallelFor(type.elements(), kElementwiseGrain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) out[i] = fn(in[i]);
  });
  return result;
}

// fn(x), element by element.
template <double (*fn)(double)>
Arrays EvaluateUnary(const Call& call, std::span<const Type> results, const Numerics& numerics) {
  const auto apply = [&](double x) { return fn(numerics.Operand(x)); };
  return std::vector<Array>{MapElements(call.array("x"), results[0], apply)};
}

// fn(x), element by element, where the ANE has a table: on_ane(x) (base/ane_tables.h).
template <double (*fn)(double), double (*on_ane)(double)>
Arrays EvaluateTabled(const Call& call, std::span<const Type> results, const Numerics& numerics) {
  return numerics.Follows(AneRule::kTables) ? EvaluateUnary<on_ane>(call, results, numerics)
                                            : EvaluateUnary<fn>(call, results, numerics);
}

// fn(x, y), element by element, broadcast.
template <double (*fn)(double, double)>
Arrays EvaluateBinary(const Call& call, std::span<const Type> results, const Numerics& numerics) {
  Array result = NewArray(results[0]);
  if (result.data.empty()) return std::vector<Array>{std::move(result)};
  const Array& x = call.array("x");
  const Array& y = call.array("y");
  const Shape& shape = results[0].shape;
  const Strides strides_x = BroadcastStrides(x.type.shape, shape);
  const Strides strides_y = BroadcastStrides(y.type.shape, shape);
  const int64_t step_x = RowStride(strides_x);
  const int64_t step_y = RowStride(strides_y);
  const int64_t length = RowLength(shape);
  double* out = result.data.data();
  ForEachRow<2>(shape, {strides_x, strides_y}, [&](int64_t, const std::array<int64_t, 2>& offsets) {
    const double* a = x.data.data() + offsets[0];
    const double* b = y.data.data() + offsets[1];
    for (int64_t i = 0; i < length; ++i) {
      *out++ = fn(numerics.Operand(a[i * step_x]), numerics.Operand(b[i * step_y]));
    }
  });
  return std::vector<Array>{std::move(result)};
}

}  // namespace millwright::mil
