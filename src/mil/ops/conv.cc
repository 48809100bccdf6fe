#include <algorithm>
#include <array>

#include "mil/ops/product.h"
#include "mil/ops/rules.h"
#include "mil/ops/walk.h"

namespace millwright::mil {
namespace {

// One spatial axis. Convolutions of rank 1 and 2 are treated as of rank 3 with axes of length 1 in
// front.
struct Axis {
  int64_t in = 1;
  int64_t kernel = 1;
  int64_t stride = 1;
  int64_t dilation = 1;
  int64_t pad = 0;  // before the first element
  int64_t out = 1;
};

struct Geometry {
  int64_t groups = 1;
  size_t rank = 0;  // spatial axes in the program; the last `rank` of `axes`
  std::array<Axis, 3> axes;
};

// Sets pad and out of an axis from the kind of padding. `before` and `after` are those of "custom".
void PlaceAxis(std::string_view pad_type, int64_t before, int64_t after, Axis* axis) {
  const int64_t reach = (axis->kernel - 1) * axis->dilation + 1;
  if (pad_type == "same" || pad_type == "same_lower") {
    axis->out = (axis->in + axis->stride - 1) / axis->stride;
    const int64_t total = std::max<int64_t>(0, (axis->out - 1) * axis->stride + reach - axis->in);
    axis->pad = pad_type == "same" ? total / 2 : total - total / 2;
    return;
  }
  axis->pad = before;
  const int64_t padded = axis->in + before + after;
  axis->out = padded < reach ? 0 : (padded - reach) / axis->stride + 1;
}

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

// One positive entry a spatial axis; all 1 where absent.
Result<std::vector<int64_t>> ReadSteps(const Call& call, std::string_view key, size_t rank) {
  std::vector<int64_t> steps = call.Ints(key, std::vector<int64_t>(rank, 1));
  if (steps.size() != rank || std::ranges::any_of(steps, [](int64_t step) { return step < 1; })) {
    return call.Bad("'{}' must have {} positive entries, found {}", key, rank,
                    ShapeToString(steps));
  }
  return steps;
}

Result<std::vector<int64_t>> ReadPad(const Call& call, std::string_view pad_type, size_t rank) {
  if (pad_type != "valid" && pad_type != "same" && pad_type != "same_lower" &&
      pad_type != "custom") {
    return call.Bad("'pad_type' must be valid, same, same_lower or custom, found \"{}\"", pad_type);
  }
  const std::vector<int64_t> none(2 * rank, 0);
  if (pad_type != "custom") return none;
  std::vector<int64_t> pad = call.Ints("pad", none);
  if (pad.size() != 2 * rank || std::ranges::any_of(pad, [](int64_t p) { return p < 0; })) {
    return call.Bad(
        "'pad' must have {} entries (before and after each axis), none negative; found {}",
        2 * rank, ShapeToString(pad));
  }
  return pad;
}

Result<Geometry> ReadGeometry(const Call& call) {
  Geometry geometry{.groups = call.Int("groups", 1)};
  if (Status status = CheckShapes(call, geometry.groups); !status) return status.error();
  const Shape& x = call.type("x").shape;
  const Shape& weight = call.type("weight").shape;
  geometry.rank = x.size() - 2;
  const std::string pad_type = call.Text("pad_type", "valid");
  const Result<std::vector<int64_t>> pad = ReadPad(call, pad_type, geometry.rank);
  if (!pad) return pad.error();
  const Result<std::vector<int64_t>> strides = ReadSteps(call, "strides", geometry.rank);
  if (!strides) return strides.error();
  const Result<std::vector<int64_t>> dilations = ReadSteps(call, "dilations", geometry.rank);
  if (!dilations) return dilations.error();
  for (size_t i = 0; i < geometry.rank; ++i) {
    Axis& axis = geometry.axes[3 - geometry.rank + i];
    axis = {.in = x[2 + i],
            .kernel = weight[2 + i],
            .stride = (*strides)[i],
            .dilation = (*dilations)[i]};
    PlaceAxis(pad_type, (*pad)[2 * i], (*pad)[2 * i + 1], &axis);
    if (axis.out < 1) {
      return call.Bad("the kernel {} does not fit into 'x' {}", ShapeToString(weight),
                      ShapeToString(x));
    }
  }
  return geometry;
}

Types Infer(const Call& call) {
  if (Status status = CheckFloat(call, "x"); !status) return status.error();
  for (std::string_view key : {"weight", "bias"}) {
    if (Status status = CheckSameDType(call, "x", key); !status) return status.error();
  }
  const Result<Geometry> geometry = ReadGeometry(call);
  if (!geometry) return geometry.error();
  Shape shape{call.type("x").shape[0], call.type("weight").shape[0]};
  for (size_t i = 3 - geometry->rank; i < 3; ++i) shape.push_back(geometry->axes[i].out);
  return std::vector<Type>{{call.type("x").dtype, shape}};
}

// Copies one channel as seen by one element of the kernel: a row of `out` columns, 0 where it
// reaches into the padding.
void CopyTap(const std::array<Axis, 3>& axes, const double* channel,
             const std::array<int64_t, 3>& tap, double* row) {
  const auto input = [&](size_t axis, int64_t out) {
    return out * axes[axis].stride - axes[axis].pad + tap[axis] * axes[axis].dilation;
  };
  const auto inside = [&](size_t axis, int64_t in) { return in >= 0 && in < axes[axis].in; };
  for (int64_t d = 0; d < axes[0].out; ++d) {
    for (int64_t h = 0; h < axes[1].out; ++h) {
      const int64_t in_d = input(0, d);
      const int64_t in_h = input(1, h);
      const bool line = inside(0, in_d) && inside(1, in_h);
      for (int64_t w = 0; w < axes[2].out; ++w) {
        const int64_t in_w = input(2, w);
        *row++ =
            line && inside(2, in_w) ? channel[(in_d * axes[1].in + in_h) * axes[2].in + in_w] : 0.0;
      }
    }
  }
}

// The input of one group as a matrix: a row for each (channel, kernel element), a column for each
// output position, so that the convolution is weight * columns.
std::vector<double> Columns(const std::array<Axis, 3>& axes, const double* x, int64_t channels) {
  const int64_t in = axes[0].in * axes[1].in * axes[2].in;
  const int64_t out = axes[0].out * axes[1].out * axes[2].out;
  const int64_t taps = axes[0].kernel * axes[1].kernel * axes[2].kernel;
  std::vector<double> columns(static_cast<size_t>(channels * taps * out));
  double* row = columns.data();
  for (int64_t channel = 0; channel < channels; ++channel) {
    for (int64_t tap = 0; tap < taps; ++tap) {
      const std::array<int64_t, 3> at{tap / (axes[1].kernel * axes[2].kernel),
                                      tap / axes[2].kernel % axes[1].kernel, tap % axes[2].kernel};
      CopyTap(axes, x + channel * in, at, row);
      row += out;
    }
  }
  return columns;
}

Arrays Evaluate(const Call& call, std::span<const Type> results, const Numerics& numerics) {
  const Result<Geometry> geometry = ReadGeometry(call);
  if (!geometry) return geometry.error();
  const Array& x = call.array("x");
  const Array& weight = call.array("weight");
  const int64_t groups = geometry->groups;
  const int64_t in_channels = weight.type.shape[1];
  const int64_t out_channels = weight.type.shape[0] / groups;
  const int64_t taps = weight.type.elements() / (weight.type.shape[0] * in_channels);
  const int64_t batches = x.type.shape[0];
  const int64_t in = x.type.elements() / (batches * groups * in_channels);
  const int64_t out = results[0].elements() / (batches * groups * out_channels);
  Array result = NewArray(results[0]);
  for (int64_t i = 0; i < batches * groups; ++i) {
    const std::vector<double> columns =
        Columns(geometry->axes, x.data.data() + i * in_channels * in, in_channels);
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
