// Chains that the cpu device's compiler recognises, and some that it nearly recognises.
#include <algorithm>

#include "tests/differential/grower.h"

namespace millwright::differential {
namespace {

using mil::ValueId;

constexpr double kRemoved = -1e4;  // a score that a mask takes away

// Heads of attention: [batch, heads, seq, width].
struct Heads {
  int64_t batch, heads, kv_heads, seq, width;
  DType dtype;
};

Heads DrawHeads(Grower& g) {
  Heads h{g.Int(1, 2), 0, g.Int(1, 2), g.Int(2, 9), g.Int(1, 4), g.FloatType()};
  h.heads = h.kv_heads * (g.Coin(0.4) ? 2 : 1);
  return h;
}

ValueId Binary(Grower& g, std::string_view op, ValueId x, ValueId y) {
  if (x < 0 || y < 0) return -1;
  return g.Append1(Op(op).Value("x", x).Value("y", y));
}

ValueId Scaled(Grower& g, ValueId x, double scale) {
  if (x < 0) return -1;
  return Binary(g, "mul", x, g.NewConstant(mil::Constant::Scalar(g.type(x).dtype, scale)));
}

// An input of `count` heads whose positions lie side by side, or whose channels do, or half of it.
ValueId HeadsInput(Grower& g, const Heads& h, int64_t count, bool halved = false) {
  const auto input = [&](const Shape& shape) {
    const ValueId x = g.NewInput({h.dtype, shape});
    return halved ? Scaled(g, x, 0.5) : x;
  };
  if (g.Coin(0.3)) return input({h.batch, count, h.seq, h.width});
  const ValueId x = input({h.batch, count, h.width, h.seq});
  if (x < 0) return -1;
  return g.Append1(Op("transpose").Value("x", x).Ints("perm", {0, 1, 3, 2}));
}

// Keys or values: each head repeated for the query heads that share it, by slices and a concat.
ValueId SharedHeads(Grower& g, const Heads& h) {
  const ValueId x = HeadsInput(g, h, h.kv_heads);
  if (h.heads == h.kv_heads) return x;
  std::vector<ValueId> parts;
  for (int64_t head = 0; head < h.kv_heads; ++head) {
    const ValueId part = g.Append1(Op("slice_by_size")
                                       .Value("x", x)
                                       .Ints("begin", {0, head, 0, 0})
                                       .Ints("size", {h.batch, 1, h.seq, h.width}));
    parts.insert(parts.end(), static_cast<size_t>(h.heads / h.kv_heads), part);
  }
  return g.Append1(Op("concat").Values("values", parts).Int("axis", 1));
}

ValueId Matmul(Grower& g, ValueId x, ValueId y, bool transpose_x, bool transpose_y) {
  if (x < 0 || y < 0) return -1;
  return g.Append1(Op("matmul")
                       .Value("x", x)
                       .Value("y", y)
                       .Bool("transpose_x", transpose_x)
                       .Bool("transpose_y", transpose_y));
}

// None, causal, or any.
ValueId Masked(Grower& g, const Heads& h, ValueId scores) {
  if (scores < 0 || g.Coin(0.2)) return scores;
  const bool causal = g.Coin(0.6);
  std::vector<double> mask;
  for (int64_t i = 0; i < h.seq * h.seq; ++i) {
    const bool removed = causal ? i % h.seq > i / h.seq : i % h.seq != 0 && g.Coin(0.3);
    mask.push_back(removed ? kRemoved : causal ? 0.0 : g.Real(-1, 1));
  }
  const mil::Type type{h.dtype, {1, 1, h.seq, h.seq}};
  return Binary(g, "add", scores, g.NewConstant(mil::Constant::Tensor(type, mask)));
}

ValueId Softmax(Grower& g, ValueId x) {
  return x < 0 ? -1 : g.Append1(Op("softmax").Value("x", x).Int("axis", -1));
}

void Attention(Grower& g) {
  const Heads h = DrawHeads(g);
  const bool queries = g.Coin();  // are scaled, instead of the scores
  const ValueId q = HeadsInput(g, h, h.heads, queries), k = SharedHeads(g, h),
                v = SharedHeads(g, h);
  const ValueId product = Matmul(g, q, k, false, true);
  const ValueId scores = queries ? product : Scaled(g, product, 0.5);
  const ValueId probs = Softmax(g, Masked(g, h, scores));
  const ValueId out = Matmul(g, probs, v, false, false);
  if (out >= 0 && g.Coin()) {
    g.Append1(Op("transpose").Value("x", out).Ints("perm", {0, 1, 3, 2}));
  }
}

void AttentionBackward(Grower& g) {
  Heads h = DrawHeads(g);
  h.heads = h.kv_heads;
  const ValueId q = HeadsInput(g, h, h.heads), k = HeadsInput(g, h, h.heads),
                v = HeadsInput(g, h, h.heads), da = HeadsInput(g, h, h.heads);
  const ValueId scores = Scaled(g, Matmul(g, q, k, false, true), 0.5);
  const ValueId probs = Softmax(g, Masked(g, h, scores));
  const ValueId dp = Matmul(g, da, v, false, true);
  const ValueId products = Binary(g, "mul", probs, dp);
  if (products < 0) return;
  const ValueId sums =
      g.Append1(Op("reduce_sum").Value("x", products).Ints("axes", {-1}).Bool("keep_dims", true));
  const ValueId ds = Scaled(g, Binary(g, "mul", probs, Binary(g, "sub", dp, sums)), 0.5);
  Matmul(g, probs, da, true, false);
  Matmul(g, ds, k, false, false);
  Matmul(g, ds, q, true, false);
}

// Halves of an axis, turned against each other and put side by side again.
void Rotary(Grower& g) {
  const int64_t heads = g.Int(1, 3), half = g.Int(1, 4), seq = g.Int(1, 6);
  const DType dtype = g.FloatType();
  const ValueId x = g.NewInput({dtype, {1, heads, 2 * half, seq}});
  const auto part = [&](int64_t begin) {
    return g.Append1(Op("slice_by_size")
                         .Value("x", x)
                         .Ints("begin", {0, 0, begin, 0})
                         .Ints("size", {1, heads, half, seq}));
  };
  const ValueId first = part(0), second = part(half);
  const ValueId cosines = g.NewConstant({dtype, {1, 1, half, seq}}, -1, 1),
                sines = g.NewConstant({dtype, {1, 1, half, seq}}, -1, 1);
  const ValueId left =
      Binary(g, "sub", Binary(g, "mul", first, cosines), Binary(g, "mul", second, sines));
  const ValueId right =
      Binary(g, "add", Binary(g, "mul", second, cosines), Binary(g, "mul", first, sines));
  if (left < 0 || right < 0) return;
  g.Append1(Op("concat")
                .Values("values", {left, right})
                .Int("axis", g.Pick(std::vector<int64_t>{2, 2, 1, 3})));
}

// A table of constants under a transposed activation, and a reduction over the product.
void TransposedTable(Grower& g) {
  const int64_t rows = g.Int(2, 9), columns = g.Int(2, 9);
  const DType dtype = g.FloatType();
  const ValueId x = g.NewInput({dtype, {1, rows, columns}});
  const ValueId turned = g.Append1(Op("transpose").Value("x", x).Ints("perm", {0, 2, 1}));
  const ValueId table = g.NewConstant({dtype, {1, columns, rows}});
  ValueId y = Binary(g, "mul", turned, table);
  if (y < 0) return;
  if (g.Coin()) y = g.Append1(Op("tanh").Value("x", y));
  const ValueId back = g.Append1(Op("transpose").Value("x", y).Ints("perm", {0, 2, 1}));
  g.Append1(Op("reduce_sum").Value("x", back).Ints("axes", {g.Int(1, 2)}).Bool("keep_dims", true));
}

// A product that is written transposed, into a part of a concat.
void PlacedProduct(Grower& g) {
  const int64_t m = g.Int(2, 7), n = g.Int(2, 7), k = g.Int(1, 7), heads = g.Int(1, 3);
  const DType dtype = g.FloatType();
  const ValueId x = g.NewInput({dtype, {1, heads, m, k}}),
                y = g.NewInput({dtype, {1, heads, k, n}});
  const ValueId z = Matmul(g, x, y, false, false);
  if (z < 0) return;
  const std::vector<std::vector<int64_t>> turns = {{0, 1, 3, 2}, {0, 2, 1, 3}, {0, 3, 1, 2}};
  const ValueId turned = g.Append1(Op("transpose").Value("x", z).Ints("perm", g.Pick(turns)));
  if (turned < 0) return;
  const Shape shape = g.shape(turned);
  ValueId flat = turned;
  if (g.Coin()) {
    flat = g.Append1(
        Op("reshape").Value("x", turned).Ints("shape", {1, shape[1] * shape[2], 1, shape[3]}));
  }
  if (flat < 0) return;
  const ValueId other = g.NewInput(mil::Type(g.type(flat)));
  const ValueId sum = Binary(g, "add", other, g.Coin() ? flat : other);
  g.Append1(Op("concat").Values("values", {flat, sum}).Int("axis", g.Int(1, 3)));
}

// Products under other axes, added up; now and then one of them twice.
void SumOfProducts(Grower& g) {
  const int64_t m = g.Int(2, 7), n = g.Int(2, 7), heads = g.Int(1, 3);
  const DType dtype = g.FloatType();
  const auto product = [&] {
    const int64_t k = g.Int(1, 7);
    const bool turned = g.Coin();
    const ValueId x = g.NewInput({dtype, {1, heads, turned ? n : m, k}}),
                  y = g.NewInput({dtype, {1, heads, k, turned ? m : n}});
    const ValueId z = Matmul(g, x, y, false, false);
    if (z < 0 || !turned) return z;
    return g.Append1(Op("transpose").Value("x", z).Ints("perm", {0, 1, 3, 2}));
  };
  ValueId last = product();
  ValueId sum = last;
  for (int64_t terms = g.Int(1, 2); terms > 0; --terms) {
    if (!g.Coin(0.1)) last = product();
    sum = g.Coin() ? Binary(g, "add", sum, last) : Binary(g, "add", last, sum);
  }
  if (sum >= 0 && g.Coin()) g.Append1(Op("tanh").Value("x", sum));
}

// A chain of which a middle value is read by a product, too.
void ForkedChain(Grower& g) {
  const int64_t size = g.Int(2, 8);
  const ValueId x = g.NewInput({g.FloatType(), {1, size, size}});
  const ValueId a = g.Append1(Op("sigmoid").Value("x", x));
  const ValueId b = Binary(g, "mul", a, x);
  const ValueId c = Binary(g, "add", b, a);
  if (c < 0) return;
  Matmul(g, a, c, false, g.Coin());
  Softmax(g, Binary(g, "sub", c, x));
}

// Reshapes of transposed values: some are views, some need a copy.
void Regrouped(Grower& g) {
  const int64_t a = g.Int(2, 4), b = g.Int(2, 4), c = g.Int(2, 4);
  const ValueId x = g.NewInput({g.FloatType(), {a, b, c}});
  const ValueId turned = g.Append1(Op("transpose").Value("x", x).Ints("perm", g.Permutation(3)));
  const ValueId flat = g.Append1(Op("reshape").Value("x", turned).Ints("shape", {a * b * c}));
  const ValueId cut = g.Append1(Op("reshape").Value("x", flat).Ints("shape", {c, a * b}));
  const ValueId window = g.Append1(
      Op("slice_by_size").Value("x", cut).Ints("begin", {1, 1}).Ints("size", {c - 1, a * b - 1}));
  if (window < 0) return;
  g.Append1(Op("reshape").Value("x", window).Ints("shape", {(c - 1) * (a * b - 1)}));
}

// [3, 2] and [2, 3], both transposed, as axes of 6: cut at different places, so that no loops fit
// both.
ValueId CutAxis(Grower& g, DType dtype, int64_t first, const Shape& rest) {
  Shape shape = {first, 6 / first};
  shape.insert(shape.end(), rest.begin(), rest.end());
  std::vector<int64_t> perm = {1, 0};
  for (size_t i = 2; i < shape.size(); ++i) perm.push_back(static_cast<int64_t>(i));
  const ValueId x = g.NewInput({dtype, shape});
  const ValueId turned = g.Append1(Op("transpose").Value("x", x).Ints("perm", perm));
  Shape flat = {6};
  flat.insert(flat.end(), rest.begin(), rest.end());
  return g.Append1(Op("reshape").Value("x", turned).Ints("shape", flat));
}

void CrossedAxes(Grower& g) {
  const DType dtype = g.FloatType();
  const int64_t m = g.Int(1, 4), k = g.Int(1, 4);
  Binary(g, "add", CutAxis(g, dtype, 2, {m}), CutAxis(g, dtype, 3, {m}));
  Matmul(g, CutAxis(g, dtype, 2, {m, k}), CutAxis(g, dtype, 3, {k, m}), false, false);
}

// A concat whose result is read, and so written, in pieces that its parts do not respect.
void CutConcat(Grower& g) {
  const DType dtype = g.FloatType();
  const ValueId a = g.NewInput({dtype, {1, 2}}), b = g.NewInput({dtype, {1, 4}});
  const ValueId left = g.Append1(Op("tanh").Value("x", a)),
                right = g.Append1(Op("tanh").Value("x", b));
  const ValueId whole = g.Append1(Op("concat").Values("values", {left, right}).Int("axis", 1));
  const ValueId cut = g.Append1(Op("reshape").Value("x", whole).Ints("shape", {2, 3}));
  g.Append1(Op("transpose").Value("x", cut).Ints("perm", {1, 0}));
}

}  // namespace

void GrowTemplate(Grower& grower) {
  using Template = void (*)(Grower&);
  const std::vector<Template> templates = {
      Attention,     Attention,   AttentionBackward, Rotary,      TransposedTable, PlacedProduct,
      SumOfProducts, ForkedChain, Regrouped,         CrossedAxes, CutConcat};
  grower.Pick(templates)(grower);
}

}  // namespace millwright::differential
