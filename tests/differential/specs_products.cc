// Sums of products.
#include "tests/differential/grower.h"
#include "tests/differential/op_specs.h"

namespace millwright::differential {
namespace {

using Draw = std::optional<mil::Operation>;
using mil::ValueId;

Draw Matmul(Grower& g, std::string_view op) {
  const ValueId x = g.Float({.least_rank = 2, .low = -40, .high = 40});
  const Shape& shape = g.shape(x);
  const bool tx = g.Coin(0.4), ty = g.Coin(0.4);
  const int64_t k = tx ? shape[shape.size() - 2] : shape.back(), n = g.Int(1, 9);
  Shape other = shape;
  other[other.size() - 2] = ty ? n : k;
  other.back() = ty ? k : n;
  for (size_t i = 0; i + 2 < other.size(); ++i) other[i] = g.Coin(0.3) ? 1 : other[i];
  if (g.Coin(0.3)) other.erase(other.begin(), other.end() - 2);
  const ValueId y = g.OfType({g.type(x).dtype, other}, {.low = -40, .high = 40});
  Op call(op);
  call.Value("x", x).Value("y", y);
  if (tx || g.Coin()) call.Bool("transpose_x", tx);
  if (ty || g.Coin()) call.Bool("transpose_y", ty);
  return call;
}

Draw Linear(Grower& g, std::string_view op) {
  const ValueId x = g.Float({.least_rank = 1, .low = -40, .high = 40});
  const DType dtype = g.type(x).dtype;
  const int64_t out = g.Int(1, 8);
  Op call(op);
  call.Value("x", x).Value("weight", g.NewConstant({dtype, {out, g.shape(x).back()}}));
  if (g.Coin()) call.Value("bias", g.NewConstant({dtype, {out}}));
  return call;
}

Draw Einsum(Grower& g, std::string_view op) {
  const bool heads = g.Coin();
  const int64_t b = g.Int(1, 3), h = g.Int(1, 4), c = g.Int(1, 6), q = g.Int(1, 6), k = g.Int(1, 6);
  const DType dtype = g.FloatType();
  const ValueId x = g.OfType({dtype, heads ? Shape{b, c, h, q} : Shape{c, h, q}});
  const ValueId y = g.OfType({dtype, heads ? Shape{b, q, h, k} : Shape{q, h, k}});
  return Op(op)
      .Values("values", {x, y})
      .Text("equation", heads ? "nchw,nwhu->nchu" : "chw,whr->chr");
}

// Strides, paddings and dilations for `axes` spatial axes.
void DrawSpatial(Grower& g, size_t axes, bool dilate, Op* call) {
  std::vector<int64_t> strides, pads, dilations;
  for (size_t i = 0; i < axes; ++i) {
    strides.push_back(g.Int(1, 2));
    dilations.push_back(dilate ? g.Int(1, 2) : 1);
    pads.insert(pads.end(), {g.Int(0, 1), g.Int(0, 1)});
  }
  if (g.Coin()) call->Ints("strides", strides);
  if (dilate && g.Coin()) call->Ints("dilations", dilations);
  const std::vector<std::string> types = {"valid", "same", "same_lower", "custom"};
  const std::string pad_type = g.Pick(types);
  call->Text("pad_type", pad_type);
  if (pad_type == "custom") call->Ints("pad", pads);
}

Draw Conv(Grower& g, std::string_view op) {
  const bool pointwise = g.Coin();
  const size_t axes = static_cast<size_t>(g.Int(1, 2));
  const int64_t groups = g.Coin(0.3) ? 2 : 1;
  Shape in = {g.Int(1, 2), groups * g.Int(1, 3)}, kernel = {groups * g.Int(1, 3), in[1] / groups};
  for (size_t i = 0; i < axes; ++i) {
    in.push_back(g.Int(3, 7));
    kernel.push_back(pointwise ? 1 : g.Int(1, 3));
  }
  const DType dtype = g.FloatType();
  Op call(op);
  call.Value("x", g.OfType({dtype, in}, {.low = -40, .high = 40}));
  const bool runtime = g.Coin(0.2);
  call.Value("weight", runtime ? g.NewInput({dtype, kernel}) : g.NewConstant({dtype, kernel}));
  if (g.Coin(0.4)) call.Value("bias", g.NewConstant({dtype, {kernel[0]}}));
  if (groups > 1) call.Int("groups", groups);
  if (!pointwise || g.Coin(0.3)) DrawSpatial(g, axes, true, &call);
  return call;
}

Draw ConvTranspose(Grower& g, std::string_view op) {
  const size_t axes = static_cast<size_t>(g.Int(1, 2));
  Shape in = {1, g.Int(1, 3)}, kernel = {in[1], g.Int(1, 3)};
  for (size_t i = 0; i < axes; ++i) {
    in.push_back(g.Int(2, 5));
    kernel.push_back(g.Int(1, 3));
  }
  const DType dtype = g.FloatType();
  Op call(op);
  call.Value("x", g.OfType({dtype, in})).Value("weight", g.NewConstant({dtype, kernel}));
  if (g.Coin(0.4)) call.Value("bias", g.NewConstant({dtype, {kernel[1]}}));
  DrawSpatial(g, axes, true, &call);
  return call;
}

Draw Sdpa(Grower& g, std::string_view op) {
  const DType dtype = g.FloatType();
  const int64_t batch = g.Int(1, 2), heads = g.Int(1, 3), q = g.Int(1, 6), k = g.Int(1, 6);
  const int64_t width = g.Int(1, 8), out = g.Coin() ? width : g.Int(1, 8);
  const auto input = [&](int64_t rows, int64_t columns) {
    return g.OfType({dtype, {batch, heads, rows, columns}}, {.low = -3, .high = 3, .exact = true});
  };
  Op call(op);
  call.Value("query", input(q, width)).Value("key", input(k, width)).Value("value", input(k, out));
  if (g.Coin()) call.Value("attn_mask", g.NewInput({dtype, {q, k}}));
  return call;
}

constexpr OpBound kProduct{Rule::kProduct, 4};

constexpr OpSpec kSpecs[] = {
    {"matmul", kProduct, Matmul},
    {"linear", kProduct, Linear},
    {"einsum", kProduct, Einsum},
    {"conv", kProduct, Conv},
    {"conv_transpose", kProduct, ConvTranspose},
    {"scaled_dot_product_attention", {Rule::kExact, 256}, Sdpa},
};

}  // namespace

std::span<const OpSpec> ProductSpecs() { return kSpecs; }

}  // namespace millwright::differential
