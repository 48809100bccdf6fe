#include <utility>

#include "base/threads.h"
#include "mil/ops/rules.h"
#include "mil/ops/softmax_row.h"
#include "mil/ops/walk.h"

namespace millwright::mil {
namespace {

Types Infer(const Call& call) {
  if (Status status = CheckFloat(call, "x"); !status) return status.error();
  const Type& x = call.type("x");
  const Result<int64_t> axis = NormalizeAxis(call, call.Int("axis", -1), x.shape.size());
  if (!axis) return axis.error();
  return std::vector<Type>{x};
}

// `data` of `shape` with `axis` and the last axis swapped.
std::vector<double> SwapWithLast(const std::vector<double>& data, const Shape& shape, size_t axis) {
  Shape swapped = shape;
  Strides strides = RowMajorStrides(shape);
  std::swap(swapped[axis], swapped.back());
  std::swap(strides[axis], strides.back());
  return Gathered(data.data(), swapped, strides);
}

Arrays Evaluate(const Call& call, std::span<const Type> results, const Numerics& numerics) {
  const Array& x = call.array("x");
  Shape shape = x.type.shape;
  const Result<int64_t> normal = NormalizeAxis(call, call.Int("axis", -1), shape.size());
  if (!normal) return normal.error();
  const auto axis = static_cast<size_t>(*normal);
  const bool last = axis + 1 == shape.size();
  std::vector<double> rows = last ? x.data : SwapWithLast(x.data, shape, axis);
  const int64_t length = shape[axis];
  ParallelFor(x.type.elements() / length, 1, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      SoftmaxRow(numerics, rows.data() + row * length, static_cast<size_t>(length));
    }
  });
  if (!last) {
    std::swap(shape[axis], shape.back());
    rows = SwapWithLast(rows, shape, axis);
  }
  return std::vector<Array>{{results[0], std::move(rows)}};
}

}  // namespace

const OpDef k_softmax = {
    .name = "softmax",
    .doc = R"(
e^x / (sum of e^x along axis), computed as e^(x - max) so that nothing overflows. The sum is wide in
every precision: the narrow sums of fact E5 were measured on reduce operations only.
  x       fp16 or fp32, rank 1 or more
  axis    constant int, default -1
Opset ios15. Source: coremltools, MIL ops, iOS15 activation.)",
    .params = {{.name = "x"},
               {.name = "axis", .required = false, .constant = true, .kind = ParamKind::kInt}},
    .infer = Infer,
    .evaluate = Evaluate,
};

}  // namespace millwright::mil
