#include <algorithm>
#include <optional>
#include <utility>

#include "mil/ops/product.h"
#include "mil/ops/rules.h"
#include "mil/ops/walk.h"
#include "mil/ops/window.h"

namespace millwright::mil {
namespace {

Status CheckShapes(const Call& call, int64_t groups) {
  const Shape& x = call.type("x").shape;
  const Shape& weight = call.type("weight").shape;
  if (x.size() < 3 || x.size() > 5 || weight.size() != x.size() || x[1] != weight[0]) {
    return call.Bad(
        "'x' {} and 'weight' {} must have the same rank, 3, 4 or 5, and the same input channels",
        ShapeToString(x), ShapeToString(weight));
  }
  if (groups < 1 || x[1] % groups != 0 || weight[1] > kMaxElements / groups) {
    return call.Bad("{} input channels do not divide into {} groups", x[1], groups);
  }
  if (call.Has("bias") && call.type("bias").shape != Shape{weight[1] * groups}) {
    return call.Bad("'bias' must have shape [{}], found {}", weight[1] * groups,
                    ShapeToString(call.type("bias").shape));
  }
  return {};
}

// Seen from the result: windows over it have a position for every element of x. So `in` and `out`
// of the axes are lengths of the result and of x.
Status PlaceResult(const Call& call, WindowAxis* axis, std::optional<int64_t> length) {
  const int64_t full = (axis->out - 1) * axis->stride + (axis->kernel - 1) * axis->dilation + 1;
  axis->in = full - axis->pad - axis->after;
  if (call.Text("pad_type", "valid") == "same") axis->in = axis->out * axis->stride;
  if (length) axis->in = *length;
  if (call.Text("pad_type", "valid") == "same") {
    axis->pad = std::max<int64_t>(0, full - axis->in) / 2;
  }
  if (axis->in >= 1) return {};
  return call.Bad("the paddings {} and {} leave nothing of {} elements", axis->pad, axis->after,
                  full);
}

Result<Windows> ReadTranspose(const Call& call) {
  const int64_t groups = call.Int("groups", 1);
  if (Status status = CheckShapes(call, groups); !status) return status.error();
  const Shape& x = call.type("x").shape;
  const Shape& weight = call.type("weight").shape;
  if (call.Text("pad_type", "valid") == "same_lower") {
    return call.Bad("'pad_type' must be valid, same or custom, found \"same_lower\"");
  }
  Result<Windows> windows =
      ReadWindows(call, {x.begin() + 2, x.end()}, {weight.begin() + 2, weight.end()});
  if (!windows) return windows.error();
  const Shape given = call.Ints("output_shape");
  if (call.Has("output_shape") &&
      (given.size() != x.size() || given[0] != x[0] || given[1] != weight[1] * groups)) {
    return call.Bad("'output_shape' {} must begin with [{}, {}] and have rank {}",
                    ShapeToString(given), x[0], weight[1] * groups, x.size());
  }
  for (size_t i = 0; i < windows->rank; ++i) {
    WindowAxis& axis = windows->axes[3 - windows->rank + i];
    axis.out = axis.in;
    std::optional<int64_t> length;
    if (!given.empty()) length = given[2 + i];
    if (Status status = PlaceResult(call, &axis, length); !status) return status.error();
  }
  return windows;
}

Types Infer(const Call& call) {
  if (Status status = CheckFloat(call, "x"); !status) return status.error();
  for (std::string_view key : {"weight", "bias"}) {
    if (Status status = CheckSameDType(call, "x", key); !status) return status.error();
  }
  const Result<Windows> windows = ReadTranspose(call);
  if (!windows) return windows.error();
  Shape shape{call.type("x").shape[0], call.type("weight").shape[1] * call.Int("groups", 1)};
  for (size_t i = 3 - windows->rank; i < 3; ++i) shape.push_back(windows->axes[i].in);
  if (Status status = CheckNewShape(call, shape); !status) return status.error();
  return std::vector<Type>{{call.type("x").dtype, shape}};
}

// Adds what each kernel element contributes: row (channel, tap) of `columns` has one column for
// each element of x.
void AddColumns(const Windows& windows, const std::vector<double>& columns, int64_t channels,
                double* result) {
  const double* row = columns.data();
  for (int64_t channel = 0; channel < channels; ++channel) {
    for (int64_t tap = 0; tap < windows.taps(); ++tap) {
      ForEachPosition(windows, tap, [&](int64_t to, int64_t from) { result[to] += row[from]; });
      row += windows.out();
    }
    result += windows.in();
  }
}

Arrays Evaluate(const Call& call, std::span<const Type> results, const Numerics& numerics) {
  const Result<Windows> windows = ReadTranspose(call);
  if (!windows) return windows.error();
  const Array& x = call.array("x");
  const Array& weight = call.array("weight");
  const int64_t groups = call.Int("groups", 1);
  const int64_t in_channels = x.type.shape[1] / groups;
  const int64_t out_channels = weight.type.shape[1];
  const int64_t rows = out_channels * windows->taps();
  const int64_t size = windows->out();
  Array result = NewArray(results[0]);
  std::vector<double> columns(static_cast<size_t>(rows * size));
  for (int64_t i = 0; i < x.type.shape[0] * groups; ++i) {
    const double* filters = weight.data.data() + (i % groups) * in_channels * rows;
    const std::vector<double> transposed = Gathered(filters, {rows, in_channels}, {1, rows});
    Product(numerics, transposed.data(), x.data.data() + i * in_channels * size, columns.data(),
            rows, size, in_channels);
    AddColumns(*windows, columns, out_channels,
               result.data.data() + i * out_channels * windows->in());
  }
  if (call.Has("bias")) {
    const std::vector<double>& bias = call.array("bias").data;
    for (size_t i = 0; i < result.data.size(); ++i) {
      result.data[i] += bias[i / static_cast<size_t>(windows->in()) % bias.size()];
    }
  }
  return std::vector<Array>{std::move(result)};
}

}  // namespace

const OpDef k_conv_transpose = {
    .name = "conv_transpose",
    .doc = R"(
The transpose of a convolution over 1 to 3 spatial axes, its gradient with respect to x:
  result[n, o, p*stride - before + t*dilation] = bias[o] + sum over all c, p, t that meet there of
  weight[c, o, t] * x[n, c, p], for channels c and o of one group
Sums run over c for each p and t, then over those.
  x             [n, C_in, *D], fp16 or fp32
  weight        [C_in, C_out / groups, *K] of that dtype
  bias          constant [C_out] of that dtype, default 0
  strides       constant list, default all 1
  pad_type      "valid" (default): (D - 1) stride + reach elements, where reach = (K - 1) dilation + 1;
                "custom": fewer by pad; "same": D stride, `before` being half of what is cut off
  pad           constant list: elements cut off before and after each axis in turn, with "custom" only
  output_shape  constant list, the whole result's shape, where strides leave it open
  dilations     constant list, default all 1
  groups        constant int, default 1
Opset ios15. Source: coremltools, MIL ops, iOS15 and iOS17 conv.)",
    .params =
        {{.name = "x"},
         {.name = "weight"},
         {.name = "bias", .required = false, .constant = true},
         {.name = "pad", .required = false, .constant = true, .kind = ParamKind::kInts},
         {.name = "output_shape", .required = false, .constant = true, .kind = ParamKind::kInts},
         {.name = "pad_type", .required = false, .constant = true, .kind = ParamKind::kText},
         {.name = "strides", .required = false, .constant = true, .kind = ParamKind::kInts},
         {.name = "dilations", .required = false, .constant = true, .kind = ParamKind::kInts},
         {.name = "groups", .required = false, .constant = true, .kind = ParamKind::kInt}},
    .infer = Infer,
    .evaluate = Evaluate,
};

}  // namespace millwright::mil
