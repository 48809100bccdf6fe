// Along axes: reductions, sorting, normalization, pools and images.
#include "tests/differential/grower.h"
#include "tests/differential/op_specs.h"

namespace millwright::differential {
namespace {

using Draw = std::optional<mil::Operation>;
using mil::ValueId;

Draw ReduceOf(Grower& g, std::string_view op, ValueId x) {
  Op call(op);
  call.Value("x", x);
  if (g.Coin(0.8)) call.Ints("axes", g.Axes(x));
  if (g.Coin(0.7)) call.Bool("keep_dims", g.Coin());
  return call;
}

Draw Reduce(Grower& g, std::string_view op) {
  return ReduceOf(g, op, g.Float({.least_rank = 1, .low = -50, .high = 50}));
}

Draw ReduceExact(Grower& g, std::string_view op) {
  const bool positive = op == "reduce_log_sum";
  return ReduceOf(
      g, op, g.Float({.least_rank = 1, .low = positive ? 0.1 : -2.0, .high = 2, .exact = true}));
}

Draw ArgReduce(Grower& g, std::string_view op) {
  const ValueId x = g.Float({.least_rank = 1, .exact = true});
  Op call(op);
  call.Value("x", x);
  if (g.Coin(0.8)) call.Int("axis", g.Axis(x));
  if (g.Coin(0.5)) call.Bool("keep_dims", g.Coin());
  return call;
}

Draw Softmax(Grower& g, std::string_view op) {
  const ValueId x = g.Float({.least_rank = 1, .low = -30, .high = 30});
  Op call(op);
  call.Value("x", x);
  if (g.Coin(0.8)) call.Int("axis", g.Axis(x));
  return call;
}

Draw Cumsum(Grower& g, std::string_view op) {
  const ValueId x = g.Float({.least_rank = 1, .low = -50, .high = 50});
  Op call(op);
  call.Value("x", x);
  if (g.Coin(0.8)) call.Int("axis", g.Axis(x));
  if (g.Coin(0.5)) call.Bool("exclusive", g.Coin());
  if (g.Coin(0.5)) call.Bool("reverse", g.Coin());
  return call;
}

Draw Argsort(Grower& g, std::string_view op) {
  const ValueId x = g.Float({.least_rank = 1, .exact = true});
  Op call(op);
  call.Value("x", x);
  if (g.Coin(0.8)) call.Int("axis", g.Axis(x));
  if (g.Coin(0.5)) call.Bool("ascending", g.Coin());
  return call;
}

Draw Topk(Grower& g, std::string_view op) {
  const ValueId x = g.Float({.least_rank = 1, .exact = true});
  const int64_t axis = g.Axis(x), rank = static_cast<int64_t>(g.shape(x).size());
  const int64_t dim = g.shape(x)[static_cast<size_t>(axis < 0 ? axis + rank : axis)];
  Op call(op);
  call.Value("x", x).Int("axis", axis).Int("k", g.Int(1, dim));
  if (g.Coin(0.5)) call.Bool("ascending", g.Coin());
  return call;
}

Draw LayerNorm(Grower& g, std::string_view op) {
  const ValueId x = g.Float({.least_rank = 2, .low = -20, .high = 20, .exact = true});
  const DType dtype = g.type(x).dtype;
  const mil::Type last{dtype, {g.shape(x).back()}};
  Op call(op);
  call.Value("x", x).Ints("axes", {-1}).Real("epsilon", dtype, 0.125);
  if (g.Coin()) call.Value("gamma", g.NewConstant(last)).Value("beta", g.NewConstant(last));
  return call;
}

Draw BatchNorm(Grower& g, std::string_view op) {
  const ValueId x = g.Float({.least_rank = 3, .low = -20, .high = 20});
  const mil::Type channels{g.type(x).dtype, {g.shape(x)[1]}};
  Op call(op);
  call.Value("x", x).Value("mean", g.NewConstant(channels));
  call.Value("variance", g.NewConstant(channels, 0.25, 2));
  if (g.Coin()) call.Value("gamma", g.NewConstant(channels)).Value("beta", g.NewConstant(channels));
  return call;
}

Draw InstanceNorm(Grower& g, std::string_view op) {
  const ValueId x = g.Float({.least_rank = 3, .most_rank = 4, .exact = true});
  const DType dtype = g.type(x).dtype;
  const mil::Type channels{dtype, {g.shape(x)[1]}};
  Op call(op);
  call.Value("x", x).Real("epsilon", dtype, 0.125);
  if (g.Coin()) call.Value("gamma", g.NewConstant(channels)).Value("beta", g.NewConstant(channels));
  return call;
}

Draw L2Norm(Grower& g, std::string_view op) {
  const ValueId x = g.Float({.least_rank = 3, .exact = true});
  return Op(op).Value("x", x).Real("epsilon", g.type(x).dtype, 0.125);
}

Draw Pool(Grower& g, std::string_view op) {
  const size_t axes = static_cast<size_t>(g.Int(1, 2));
  Shape shape = {1, g.Int(1, 3)};
  std::vector<int64_t> kernel, strides, pads;
  for (size_t i = 0; i < axes; ++i) {
    shape.push_back(g.Int(3, 8));
    kernel.push_back(g.Int(1, 3));
    strides.push_back(g.Int(1, 3));
    pads.insert(pads.end(), {g.Int(0, 1), g.Int(0, 1)});
  }
  const bool exact = op == "l2_pool";
  const std::vector<std::string> types = {"valid", "same", "same_lower", "custom"};
  const std::string pad_type = g.Pick(types);
  Op call(op);
  call.Value("x", g.OfType({g.FloatType(), shape}, {.low = -50, .high = 50, .exact = exact}));
  call.Ints("kernel_sizes", kernel).Text("pad_type", pad_type);
  if (g.Coin(0.7)) call.Ints("strides", strides);
  if (pad_type == "custom") call.Ints("pad", pads);
  if (op == "avg_pool" && g.Coin()) call.Bool("exclude_padding_from_average", g.Coin());
  return call;
}

mil::Type Image(Grower& g) { return {g.FloatType(), {1, g.Int(1, 3), g.Int(2, 5), g.Int(2, 5)}}; }

Draw Upsample(Grower& g, std::string_view op) {
  return Op(op)
      .Value("x", g.OfType(Image(g), {.low = -50, .high = 50}))
      .Int("scale_factor_height", g.Int(1, 3))
      .Int("scale_factor_width", g.Int(1, 3));
}

Draw Resize(Grower& g, std::string_view op) {
  return Op(op)
      .Value("x", g.OfType(Image(g), {.low = -50, .high = 50}))
      .Int("target_size_height", g.Int(1, 7))
      .Int("target_size_width", g.Int(1, 7));
}

constexpr OpBound kSum{Rule::kSum, 4};
constexpr OpBound kLargest{Rule::kLargest, 0};
constexpr OpBound kMove{Rule::kMove, 0};

// Own roundings of operations that chain several: of fp32, where a device has a loop of its own.
constexpr OpBound Chained(double ulps) { return {Rule::kExact, ulps}; }

constexpr OpSpec kSpecs[] = {
    {"reduce_sum", kSum, Reduce},
    {"reduce_mean", kSum, Reduce},
    {"reduce_max", kLargest, Reduce},
    {"reduce_min", kLargest, Reduce},
    {"reduce_prod", Chained(64), ReduceExact},
    {"reduce_l1_norm", kSum, Reduce},
    {"reduce_l2_norm", Chained(64), ReduceExact},
    {"reduce_sum_square", Chained(64), ReduceExact},
    {"reduce_log_sum", Chained(256), ReduceExact},
    {"reduce_log_sum_exp", {Rule::kLargest, 64}, Reduce},
    {"reduce_argmax", Chained(0), ArgReduce},
    {"reduce_argmin", Chained(0), ArgReduce},
    {"softmax", {Rule::kSoftmax, 16}, Softmax},
    {"cumsum", kSum, Cumsum},
    {"argsort", Chained(0), Argsort},
    {"topk", Chained(0), Topk},
    {"layer_norm", Chained(256), LayerNorm},
    {"batch_norm", {Rule::kCorners, 64}, BatchNorm},
    {"instance_norm", Chained(256), InstanceNorm},
    {"l2_norm", Chained(256), L2Norm},
    {"max_pool", kLargest, Pool},
    {"avg_pool", kSum, Pool},
    {"l2_pool", Chained(64), Pool},
    {"upsample_nearest_neighbor", kMove, Upsample},
    {"upsample_bilinear", kSum, Upsample},
    {"resize_nearest_neighbor", kMove, Resize},
    {"resize_bilinear", kSum, Resize},
};

}  // namespace

std::span<const OpSpec> AxisSpecs() { return kSpecs; }

}  // namespace millwright::differential
