// Operations that move elements.
#include <algorithm>

#include "tests/differential/grower.h"
#include "tests/differential/op_specs.h"

namespace millwright::differential {
namespace {

using Draw = std::optional<mil::Operation>;
using mil::ValueId;

constexpr OpBound kMoves{Rule::kMove, 0};

Draw Identity(Grower& g, std::string_view op) { return Op(op).Value("x", g.Any()); }

Draw SliceBySize(Grower& g, std::string_view op) {
  const ValueId x = g.Any(1);
  std::vector<int64_t> begin, size;
  for (int64_t dim : g.shape(x)) {
    begin.push_back(g.Int(0, dim - 1));
    size.push_back(g.Coin(0.3) ? -1 : g.Int(1, dim - begin.back()));
  }
  return Op(op).Value("x", x).Ints("begin", begin).Ints("size", size);
}

struct Window {
  std::vector<int64_t> begin, end, stride, size;
  std::vector<bool> begin_mask, end_mask;
};

// Windows with ends counted from either side, masks, and strides of either sign.
Window DrawWindow(Grower& g, const Shape& shape, bool backwards) {
  Window w;
  for (int64_t dim : shape) {
    const bool back = backwards && g.Coin(0.2);
    int64_t begin = g.Int(0, dim - 1);
    int64_t end = back ? g.Int(-1, begin - 1) : g.Int(begin + 1, dim);
    w.stride.push_back((back ? -1 : 1) * (g.Coin(0.3) ? g.Int(1, 3) : 1));
    w.begin_mask.push_back(g.Coin(0.2));
    w.end_mask.push_back(g.Coin(0.2) || end < 0);
    w.begin.push_back(g.Coin(0.3) ? begin - dim : begin);
    w.end.push_back(g.Coin(0.3) && end < dim && end >= 0 ? end - dim : std::max<int64_t>(end, 0));
  }
  return w;
}

Op& AddWindow(Grower& g, const Window& w, Op& call) {
  call.Ints("begin", w.begin).Ints("end", w.end).Ints("stride", w.stride);
  const auto any = [](const std::vector<bool>& mask) { return std::ranges::count(mask, true) > 0; };
  if (any(w.begin_mask) || g.Coin(0.3)) call.Bools("begin_mask", w.begin_mask);
  if (any(w.end_mask) || g.Coin(0.3)) call.Bools("end_mask", w.end_mask);
  return call;
}

Draw SliceByIndex(Grower& g, std::string_view op) {
  const ValueId x = g.Any(1);
  Op call(op);
  call.Value("x", x);
  AddWindow(g, DrawWindow(g, g.shape(x), true), call);
  if (!g.Coin(0.3)) return call;
  std::vector<bool> squeeze(g.shape(x).size(), false);
  squeeze[static_cast<size_t>(g.Int(0, static_cast<int64_t>(squeeze.size()) - 1))] = true;
  return call.Bools("squeeze_mask", squeeze);
}

Draw SliceUpdate(Grower& g, std::string_view op) {
  const ValueId x = g.Float({.least_rank = 1});
  std::vector<int64_t> begin, end;
  Shape size;
  for (int64_t dim : g.shape(x)) {
    begin.push_back(g.Int(0, dim - 1));
    end.push_back(g.Int(begin.back() + 1, dim));
    size.push_back(end.back() - begin.back());
  }
  const ValueId update = g.OfType({g.type(x).dtype, size});
  return Op(op).Value("x", x).Value("update", update).Ints("begin", begin).Ints("end", end);
}

Draw Split(Grower& g, std::string_view op) {
  const ValueId x = g.Any(1);
  const int64_t axis = g.Axis(x), rank = static_cast<int64_t>(g.shape(x).size());
  const int64_t dim = g.shape(x)[static_cast<size_t>(axis < 0 ? axis + rank : axis)];
  Op call(op);
  call.Value("x", x).Int("axis", axis);
  if (g.Coin()) {
    std::vector<int64_t> divisors;
    for (int64_t n = 2; n <= dim; ++n) {
      if (dim % n == 0) divisors.push_back(n);
    }
    if (divisors.empty()) return std::nullopt;
    return call.Int("num_splits", g.Pick(divisors));
  }
  std::vector<int64_t> sizes;
  for (int64_t rest = dim; rest > 0; rest -= sizes.back()) sizes.push_back(g.Int(1, rest));
  return call.Ints("split_sizes", sizes);
}

// Another shape of as many elements.
std::vector<int64_t> Refactored(Grower& g, int64_t elements) {
  std::vector<int64_t> shape;
  while (shape.size() < 4 && (elements > 1 || shape.empty() || g.Coin(0.3))) {
    std::vector<int64_t> divisors;
    for (int64_t n = 1; n <= elements; ++n) {
      if (elements % n == 0) divisors.push_back(n);
    }
    shape.push_back(g.Pick(divisors));
    elements /= shape.back();
  }
  if (elements > 1) shape.push_back(elements);
  return shape;
}

Draw Reshape(Grower& g, std::string_view op) {
  const ValueId x = g.Any(0);
  std::vector<int64_t> shape = Refactored(g, g.type(x).elements());
  if (g.Coin(0.3))
    shape[static_cast<size_t>(g.Int(0, static_cast<int64_t>(shape.size()) - 1))] = -1;
  return Op(op).Value("x", x).Ints("shape", shape);
}

// Axes of the same sizes under another grouping: the whole of x from the whole of y.
Draw ReshapeLike(Grower& g, std::string_view op) {
  const ValueId x = g.Float({.least_rank = 1});
  const ValueId like = g.NewInput({g.type(x).dtype, Refactored(g, g.type(x).elements())});
  const auto ints = [&](int64_t value) {
    return g.NewConstant(mil::Constant::Scalar(DType::kInt32, static_cast<double>(value)));
  };
  return Op(op)
      .Value("x", x)
      .Values("ref_tensors", {like})
      .Values("begins", {ints(0)})
      .Values("ends", {ints(static_cast<int64_t>(g.shape(like).size()))})
      .Values("end_masks", {g.NewConstant(mil::Constant::Bool(g.Coin(0.3)))});
}

Draw Flatten(Grower& g, std::string_view op) {
  const ValueId x = g.Any(1);
  Op call(op);
  call.Value("x", x);
  if (g.Coin(0.7)) call.Int("axis", g.Axis(x));
  return call;
}

Draw Transpose(Grower& g, std::string_view op) {
  const ValueId x = g.Any(1);
  return Op(op).Value("x", x).Ints("perm", g.Permutation(g.shape(x).size()));
}

Draw ExpandDims(Grower& g, std::string_view op) {
  const ValueId x = g.Any(0, 4);
  const auto rank = static_cast<int64_t>(g.shape(x).size());
  return Op(op).Value("x", x).Ints("axes", {g.Int(-rank - 1, rank)});
}

Draw Squeeze(Grower& g, std::string_view op) {
  const ValueId x = g.Any(1);
  std::vector<int64_t> ones;
  for (size_t i = 0; i < g.shape(x).size(); ++i) {
    if (g.shape(x)[i] == 1 && g.Coin(0.8)) ones.push_back(static_cast<int64_t>(i));
  }
  Op call(op);
  call.Value("x", x);
  if (ones.empty() && !g.Coin(0.3)) return std::nullopt;
  if (!ones.empty()) call.Ints("axes", ones);
  return call;
}

Draw Concat(Grower& g, std::string_view op) {
  const ValueId x = g.Any(1);
  const int64_t axis = g.Axis(x), rank = static_cast<int64_t>(g.shape(x).size());
  const auto at = static_cast<size_t>(axis < 0 ? axis + rank : axis);
  const bool interleave = g.Coin(0.2);
  std::vector<ValueId> values = {x};
  for (int64_t i = g.Int(0, 3); i > 0; --i) {
    mil::Type type = g.type(x);
    if (!interleave && g.Coin()) type.shape[at] = g.Int(1, 4);
    values.push_back(g.Coin(0.2) ? values.back() : g.OfType(type));
    if (g.type(values.back()).shape[at] != g.shape(x)[at] && interleave) values.pop_back();
  }
  std::swap(values.front(), values[static_cast<size_t>(g.Int(0, values.size() - 1))]);
  Op call(op);
  call.Values("values", values).Int("axis", axis);
  if (interleave || g.Coin(0.3)) call.Bool("interleave", interleave);
  return call;
}

Draw Stack(Grower& g, std::string_view op) {
  const ValueId x = g.Any(0, 4);
  const auto rank = static_cast<int64_t>(g.shape(x).size());
  std::vector<ValueId> values = {x};
  for (int64_t i = g.Int(0, 2); i > 0; --i) values.push_back(g.OfType(g.type(x)));
  return Op(op).Values("values", values).Int("axis", g.Int(-rank - 1, rank));
}

Draw Tile(Grower& g, std::string_view op) {
  const ValueId x = g.Any(1);
  std::vector<int64_t> reps;
  for (size_t i = 0; i < g.shape(x).size(); ++i) reps.push_back(g.Coin(0.6) ? 1 : g.Int(1, 3));
  return Op(op).Value("x", x).Ints("reps", reps);
}

Draw Pad(Grower& g, std::string_view op) {
  const ValueId x = g.Float({.least_rank = 1});
  const std::vector<std::string> modes = {"constant", "reflect", "replicate"};
  const std::string mode = g.Pick(modes);
  const size_t axes =
      mode == "constant" ? g.shape(x).size() : std::min<size_t>(2, g.shape(x).size());
  std::vector<int64_t> pad;
  for (size_t i = 0; i < 2 * axes; ++i) {
    const int64_t dim = g.shape(x)[g.shape(x).size() - axes + i / 2];
    pad.push_back(g.Int(0, mode == "reflect" ? std::min<int64_t>(2, dim - 1) : 2));
  }
  Op call(op);
  call.Value("x", x).Ints("pad", pad).Text("mode", mode);
  if (g.Coin()) call.Real("constant_val", g.type(x).dtype, g.Real(-1, 1));
  return call;
}

Draw Reverse(Grower& g, std::string_view op) {
  const ValueId x = g.Any(1);
  Op call(op);
  call.Value("x", x);
  if (g.Coin(0.8)) call.Ints("axes", g.Axes(x));
  return call;
}

Draw SlidingWindows(Grower& g, std::string_view op) {
  const ValueId x = g.Any(1, 4);
  const int64_t axis = g.Axis(x), rank = static_cast<int64_t>(g.shape(x).size());
  const int64_t dim = g.shape(x)[static_cast<size_t>(axis < 0 ? axis + rank : axis)];
  Op call(op);
  call.Value("x", x).Int("axis", axis).Int("size", g.Int(1, std::min<int64_t>(dim, 4)));
  if (g.Coin()) call.Int("stride", g.Int(1, 3));
  return call;
}

// Blocks between channels and space: the shape is made to fit.
template <bool kToSpace>
Draw Blocks(Grower& g, std::string_view op) {
  const int64_t block = 2, c = g.Int(1, 3), h = g.Int(1, 4), w = g.Int(1, 4);
  const Shape shape =
      kToSpace ? Shape{1, c * block * block, h, w} : Shape{1, c, h * block, w * block};
  const std::string key = op == "pixel_shuffle"     ? "upscale_factor"
                          : op == "pixel_unshuffle" ? "downscale_factor"
                                                    : "block_size";
  return Op(op).Value("x", g.OfType({g.FloatType(), shape})).Int(key, block);
}

constexpr OpSpec kSpecs[] = {
    {"identity", kMoves, Identity},
    {"shape", {Rule::kMove, 0}, Identity},
    {"slice_by_size", kMoves, SliceBySize},
    {"slice_by_index", kMoves, SliceByIndex},
    {"slice_update", kMoves, SliceUpdate},
    {"split", kMoves, Split},
    {"reshape", kMoves, Reshape},
    {"reshape_like", kMoves, ReshapeLike},
    {"flatten2d", kMoves, Flatten},
    {"transpose", kMoves, Transpose},
    {"expand_dims", kMoves, ExpandDims},
    {"squeeze", kMoves, Squeeze},
    {"concat", kMoves, Concat},
    {"stack", kMoves, Stack},
    {"tile", kMoves, Tile},
    {"pad", kMoves, Pad},
    {"reverse", kMoves, Reverse},
    {"reverse_sequence", kMoves, DrawFromTest},
    {"sliding_windows", kMoves, SlidingWindows},
    {"depth_to_space", kMoves, Blocks<true>},
    {"space_to_depth", kMoves, Blocks<false>},
    {"pixel_shuffle", kMoves, Blocks<true>},
    {"pixel_unshuffle", kMoves, Blocks<false>},
    {"crop", kMoves, DrawFromTest},
};

}  // namespace

std::span<const OpSpec> ShapeSpecs() { return kSpecs; }

}  // namespace millwright::differential
