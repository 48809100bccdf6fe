#include <utility>

#include "mil/ops/normalize_row.h"
#include "mil/ops/rules.h"
#include "mil/ops/walk.h"

namespace millwright::mil {
namespace {

Types Infer(const Call& call) {
  if (Status status = CheckFloat(call, "x"); !status) return status.error();
  const Type& x = call.type("x");
  const Result<std::vector<int64_t>> axes = ReadAxes(call, "axes", x.shape.size());
  if (!axes) return axes.error();
  Shape expected;
  for (int64_t axis : *axes) expected.push_back(x.shape[static_cast<size_t>(axis)]);
  for (std::string_view key : {"gamma", "beta"}) {
    if (Status status = CheckFloat(call, key); !status) return status.error();
    if (call.Has(key) && call.type(key).shape != expected) {
      return call.Bad("'{}' must have shape {}, that of 'x' along 'axes', found {}", key,
                      ShapeToString(expected), ShapeToString(call.type(key).shape));
    }
  }
  return std::vector<Type>{x};
}

Arrays Evaluate(const Call& call, std::span<const Type> results, const Numerics&) {
  const Array& x = call.array("x");
  const Result<std::vector<int64_t>> axes = ReadAxes(call, "axes", x.type.shape.size());
  if (!axes) return axes.error();
  const AxesLast order = MoveToEnd(x.type.shape, *axes);
  std::vector<double> rows = Gathered(x.data.data(), order.shape, order.strides);
  const double epsilon = call.Float("epsilon", 1e-5);
  const double* gamma = call.Has("gamma") ? call.array("gamma").data.data() : nullptr;
  const double* beta = call.Has("beta") ? call.array("beta").data.data() : nullptr;
  for (size_t at = 0; at < rows.size(); at += order.count) {
    double* row = rows.data() + at;
    NormalizeRow(row, order.count, epsilon);
    for (size_t i = 0; i < order.count; ++i) {
      if (gamma != nullptr) row[i] *= gamma[i];
      if (beta != nullptr) row[i] += beta[i];
    }
  }
  Array result = NewArray(results[0]);
  Ungather(rows, order.shape, order.strides, result.data.data());
  return std::vector<Array>{std::move(result)};
}

}  // namespace

const OpDef k_layer_norm = {
    .name = "layer_norm",
    .doc = R"(
gamma * (x - m) / sqrt(v + epsilon) + beta, where m is the mean and v the variance (divided by the number
of elements) along `axes`. Both are summed wide in every precision.
  x        fp16 or fp32
  axes     constant list of axes, default all
  gamma    constant of the shape of x along axes, a float, default all 1
  beta     constant of that shape, a float, default all 0
  epsilon  a constant float, default 1e-5; the ANE wants the dtype of gamma and beta (fact A9)
Opset ios15. Source: coremltools, MIL ops, iOS15 and iOS17 normalization.)",
    .params = {{.name = "x"},
               {.name = "axes", .required = false, .constant = true, .kind = ParamKind::kInts},
               {.name = "gamma", .required = false, .constant = true},
               {.name = "beta", .required = false, .constant = true},
               {.name = "epsilon", .required = false, .constant = true, .kind = ParamKind::kFloat}},
    .infer = Infer,
    .evaluate = Evaluate,
};

}  // namespace millwright::mil
