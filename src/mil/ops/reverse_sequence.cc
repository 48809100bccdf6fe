#include <utility>

#include "mil/ops/rules.h"
#include "mil/ops/walk.h"

namespace millwright::mil {
namespace {

struct Axes {
  size_t sequence = 0;
  size_t batch = 0;
};

Result<Axes> ReadSequenceAxes(const Call& call) {
  const Shape& shape = call.type("x").shape;
  const Result<int64_t> sequence = NormalizeAxis(call, call.Int("seq_axis", 0), shape.size());
  if (!sequence) return sequence.error();
  const Result<int64_t> batch = NormalizeAxis(call, call.Int("batch_axis", 0), shape.size());
  if (!batch) return batch.error();
  if (*sequence == *batch) return call.Bad("'seq_axis' and 'batch_axis' are both {}", *batch);
  return Axes{static_cast<size_t>(*sequence), static_cast<size_t>(*batch)};
}

Types Infer(const Call& call) {
  if (Status status = CheckIndices(call, "lengths"); !status) return status.error();
  const Result<Axes> axes = ReadSequenceAxes(call);
  if (!axes) return axes.error();
  const Shape expected{call.type("x").shape[axes->batch]};
  if (call.type("lengths").shape != expected) {
    return call.Bad("'lengths' must have shape {}, found {}", ShapeToString(expected),
                    ToString(call.type("lengths")));
  }
  return std::vector<Type>{call.type("x")};
}

Arrays Evaluate(const Call& call, std::span<const Type> results, const Numerics&) {
  const Result<Axes> axes = ReadSequenceAxes(call);
  if (!axes) return axes.error();
  const Shape& shape = results[0].shape;
  const Strides strides = RowMajorStrides(shape);
  const std::vector<double>& lengths = call.array("lengths").data;
  for (double length : lengths) {
    if (length >= 0 && length <= static_cast<double>(shape[axes->sequence])) continue;
    return call.Bad("length {} is outside of axis {} of {}", length, axes->sequence,
                    ToString(results[0]));
  }
  const std::vector<double>& x = call.array("x").data;
  Array result = NewArray(results[0]);
  for (int64_t i = 0; i < results[0].elements(); ++i) {
    const int64_t step = strides[axes->sequence];
    const int64_t batch = i / strides[axes->batch] % shape[axes->batch];
    const int64_t at = i / step % shape[axes->sequence];
    const auto length = static_cast<int64_t>(lengths[static_cast<size_t>(batch)]);
    const int64_t from = at < length ? i + (length - 1 - 2 * at) * step : i;
    result.data[static_cast<size_t>(i)] = x[static_cast<size_t>(from)];
  }
  return std::vector<Array>{std::move(result)};
}

}  // namespace

const OpDef k_reverse_sequence = {
    .name = "reverse_sequence",
    .doc = R"(
x with, in each batch, the first lengths[batch] elements along seq_axis reversed.
  x           any tensor
  lengths     int32, one entry for each index of batch_axis; an entry outside of the axis is an error when
              the program runs
  seq_axis    constant int, default 0
  batch_axis  constant int, default 0; it and seq_axis differ
Opset ios15. Source: coremltools, MIL ops, iOS15 tensor_transformation.)",
    .params =
        {{.name = "x"},
         {.name = "lengths"},
         {.name = "seq_axis", .required = false, .constant = true, .kind = ParamKind::kInt},
         {.name = "batch_axis", .required = false, .constant = true, .kind = ParamKind::kInt}},
    .infer = Infer,
    .evaluate = Evaluate,
};

}  // namespace millwright::mil
