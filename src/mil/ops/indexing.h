// What operations that read or write at computed places have in common.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "mil/ops/rules.h"
#include "mil/ops/walk.h"

namespace millwright::mil {

// `value` as an index of an axis of `length`; negative ones count from the back. Bad input: an
// index outside of it, when the program runs.
Result<int64_t> ReadIndex(const Call& call, double value, size_t axis, int64_t length);

// gather_nd and scatter_nd: the first axes of `data` (in argument `key`) are batches, the last axis
// of `indices` names a place in the next ones, and what is left is a slice.
struct Slices {
  size_t batch_dims = 0;
  size_t depth = 0;  // axes that an index names
};
Result<Slices> ReadSlices(const Call& call, std::string_view key);

// Where slice number `i` begins in the data, the slices counted in row-major order of `indices`.
Result<int64_t> SliceOffset(const Call& call, const Slices& slices, const Shape& data, int64_t i);

// indices.shape[:-1] + data.shape[batch_dims + depth:].
Shape SlicedShape(const Shape& data, const Shape& indices, const Slices& slices);

// The modes of scatter operations: "update", "add", "sub", "mul", "div", "max", "min".
struct Update {
  double (*apply)(double old, double update);
};
Result<Update> ReadUpdate(const Call& call);

// The arguments of scatter, of scatter_along_axis, and without `axis` of scatter_nd.
std::vector<Param> ScatterParams(bool axis);

// The result of a scatter operation whose `updates` must have the shape `updates`: that of `data`.
Types InferScatter(const Call& call, const Shape& updates);

// gather_along_axis and scatter_along_axis: `indices` has the shape of the argument `key` but for
// `axis`.
Result<size_t> ReadAlongAxis(const Call& call, std::string_view key);

}  // namespace millwright::mil
