#include "mil/ops/product.h"
#include "mil/ops/rules.h"
#include "mil/ops/walk.h"
#include "mil/ops/window.h"

namespace millwright::mil {
namespace {

Status CheckShapes(const Call& call, int64_t groups) {
  const Shape& x = call.type("x").shape;
  const Shape& weight = call.type("weight").shape;
  if (x.size() < 3 || x.size() > 5 || weight.size() != x.size()) {
    return call.Bad("'x' {} and 'weight' {} must have the same rank, 3, 4 or 5", ShapeToString(x),
                    ShapeToString(weight));
  }
  if (groups < 1 || x[1] % groups != 0 || weight[0] % groups != 0) {
    return call.Bad("{} input and {} output channels do not divide into {} groups", x[1], weight[0],
                    groups);
  }
  if (weight[1] * groups != x[1]) {
    return call.Bad("'weight' {} takes {} channels in each of {} groups, 'x' {} has {} in all",
                    ShapeToString(weight), weight[1], groups, ShapeToString(x), x[1]);
  }
  if (call.Has("bias") && call.type("bias").shape != Shape{weight[0]}) {
    return call.Bad("'bias' must have shape [{}], found {}", weight[0],
                    ShapeToString(call.type("bias").shape));
  }
  return {};
}

Result<Windows> ReadConvolution(const Call& call) {
  if (Status status = CheckShapes(call, call.Int("groups", 1)); !status) return status.error();
  const Shape& x = call.type("x").shape;
  const Shape& weight = call.type("weight").shape;
  Result<Windows> windows =
      ReadWindows(call, {x.begin() + 2, x.end()}, {weight.begin() + 2, weight.end()});
  if (!windows) return windows.error();
  if (Status status = PlaceWindows(call, false, &*windows); !status) return status.error();
  return windows;
}

Types Infer(const Call& call) {
  if (Status status = CheckFloat(call, "x"); !status) return status.error();
  for (std::string_view key : {"weight", "bias"}) {
    if (Status status = CheckSameDType(call, "x", key); !status) return status.error();
  }
  const Result<Windows> windows = ReadConvolution(call);
  if (!windows) return windows.error();
  Shape shape{call.type("x").shape[0], call.type("weight").shape[0]};
  for (size_t i = 3 - windows->rank; i < 3; ++i) shape.push_back(windows->axes[i].out);
  return std::vector<Type>{{call.type("x").dtype, shape}};
}

// The input of one group as a matrix: a row for each (channel, kernel element), a column for each
// output position, 0 where it reaches into the padding, so that the convolution is weight *
// columns.
std::vector<double> Columns(const Windows& windows, const double* x, int64_t channels) {
  std::vector<double> columns(static_cast<size_t>(channels * windows.taps() * windows.out()), 0.0);
  double* row = columns.data();
  for (int64_t channel = 0; channel < channels; ++channel) {
    for (int64_t tap = 0; tap < windows.taps(); ++tap) {
      ForEachPosition(windows, tap, [&](int64_t from, int64_t to) { row[to] = x[from]; });
      row += windows.out();
    }
    x += windows.in();
  }
  return columns;
}

Arrays Evaluate(const Call& call, std::span<const Type> results, const Numerics& numerics) {
  const Result<Windows> windows = ReadConvolution(call);
  if (!windows) return windows.error();
  const Array& x = call.array("x");
  const Array& weight = call.array("weight");
  const int64_t groups = call.Int("groups", 1);
  const int64_t in_channels = weight.type.shape[1];
  const int64_t out_channels = weight.type.shape[0] / groups;
  const int64_t taps = windows->taps();
  const int64_t out = windows->out();
  Array result = NewArray(results[0]);
  for (int64_t i = 0; i < x.type.shape[0] * groups; ++i) {
    const std::vector<double> columns =
        Columns(*windows, x.data.data() + i * in_channels * windows->in(), in_channels);
    const double* filters = weight.data.data() + (i % groups) * out_channels * in_channels * taps;
    Product(numerics, filters, columns.data(), result.data.data() + i * out_channels * out,
            out_channels, out, in_channels * taps);
  }
  if (call.Has("bias")) {
    const std::vector<double>& bias = call.array("bias").data;
    for (size_t i = 0; i < result.data.size(); ++i) {
      result.data[i] += bias[i / static_cast<size_t>(out) % bias.size()];
    }
  }
  return std::vector<Array>{std::move(result)};
}

}  // namespace

const OpDef k_conv = {
    .name = "conv",
    .doc = R"(
Convolution over 1 to 3 spatial axes (a correlation: the kernel is not flipped):
  result[n, o, p] = bias[o] + sum over c, t of weight[o, c, t] * x[n, g C + c, p*stride - pad + t*dilation]
where g is the group of o and C the channels of a group. Sums run over c, then t in row-major order.
  x          [n, C_in, *D], fp16 or fp32
  weight     [C_out, C_in / groups, *K] of that dtype
  bias       constant [C_out] of that dtype, default 0
  strides    constant list, default all 1
  pad_type   "valid" (default, no padding), "custom" (as in pad), "same" (the result has ceil(D / stride)
             elements; of an odd number of paddings the odd one comes behind) or "same_lower" (in front)
  pad        constant list: before and after each axis in turn; used with "custom" only
  dilations  constant list, default all 1
  groups     constant int, default 1
Opset ios15. Source: coremltools, MIL ops, iOS15 conv.)",
    .params = {{.name = "x"},
               {.name = "weight"},
               {.name = "bias", .required = false, .constant = true},
               {.name = "strides", .required = false, .constant = true, .kind = ParamKind::kInts},
               {.name = "pad_type", .required = false, .constant = true, .kind = ParamKind::kText},
               {.name = "pad", .required = false, .constant = true, .kind = ParamKind::kInts},
               {.name = "dilations", .required = false, .constant = true, .kind = ParamKind::kInts},
               {.name = "groups", .required = false, .constant = true, .kind = ParamKind::kInt}},
    .infer = Infer,
    .evaluate = Evaluate,
};

}  // namespace millwright::mil
