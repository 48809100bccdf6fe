// New tensors, and elements by index.
#include "tests/differential/grower.h"
#include "tests/differential/op_specs.h"

namespace millwright::differential {
namespace {

using Draw = std::optional<mil::Operation>;
using mil::ValueId;

constexpr OpBound kMoves{Rule::kMove, 0};

Draw Fill(Grower& g, std::string_view op) {
  return Op(op).Ints("shape", g.RandomShape(1, 4)).Real("value", g.FloatType(), g.Real(-2, 2));
}

Draw FillLike(Grower& g, std::string_view op) {
  return Op(op).Value("ref_tensor", g.Any(1)).Real("value", g.FloatType(), g.Real(-2, 2));
}

Draw Range(Grower& g, std::string_view op) {
  const int64_t start = g.Int(-4, 4), step = g.Int(1, 3), count = g.Int(1, 9);
  if (g.Coin()) {
    return Op(op).Int("end", start + step * count).Int("start", start).Int("step", step);
  }
  const DType dtype = g.FloatType();
  const auto real = [](int64_t x) { return static_cast<double>(x) / 2; };
  return Op(op)
      .Real("end", dtype, real(start + step * count))
      .Real("start", dtype, real(start))
      .Real("step", dtype, real(step));
}

Draw OneHot(Grower& g, std::string_view op) {
  const int64_t size = g.Int(2, 6);
  const mil::Type indices{DType::kInt32, g.RandomShape(1, 3)};
  Op call(op);
  call.Value("indices", g.NewInput(indices, 0, static_cast<double>(size) - 1));
  call.Int("one_hot_vector_size", size);
  if (g.Coin()) call.Int("axis", g.Int(-1, 1));
  if (g.Coin()) {
    const DType dtype = g.FloatType();
    call.Real("on_value", dtype, g.Real(-2, 2)).Real("off_value", dtype, g.Real(-2, 2));
  }
  return call;
}

Draw BandPart(Grower& g, std::string_view op) {
  const ValueId x = g.Float({.least_rank = 2});
  Op call(op);
  call.Value("x", x);
  if (g.Coin(0.7)) call.Int("lower", g.Int(-1, 3));
  if (g.Coin(0.7)) call.Int("upper", g.Int(-1, 3));
  return call;
}

// Indices that are inputs or constants; `dim` is how many there are to choose from.
ValueId Indices(Grower& g, const Shape& shape, int64_t dim) {
  const mil::Type type{DType::kInt32, shape};
  const double last = static_cast<double>(dim) - 1;
  return g.Coin(0.4) ? g.NewConstant(type, 0, last) : g.NewInput(type, 0, last);
}

Draw Gather(Grower& g, std::string_view op) {
  const ValueId x = g.Any(1, 3);
  const int64_t axis = g.Axis(x), rank = static_cast<int64_t>(g.shape(x).size());
  const int64_t dim = g.shape(x)[static_cast<size_t>(axis < 0 ? axis + rank : axis)];
  return Op(op)
      .Value("x", x)
      .Value("indices", Indices(g, g.RandomShape(0, 2), dim))
      .Int("axis", axis);
}

Draw GatherAlongAxis(Grower& g, std::string_view op) {
  const ValueId x = g.Any(1);
  const int64_t axis = g.Axis(x), rank = static_cast<int64_t>(g.shape(x).size());
  const auto at = static_cast<size_t>(axis < 0 ? axis + rank : axis);
  Shape shape = g.shape(x);
  const int64_t dim = shape[at];
  shape[at] = g.Int(1, 4);
  return Op(op).Value("x", x).Value("indices", Indices(g, shape, dim)).Int("axis", axis);
}

Draw GatherNd(Grower& g, std::string_view op) {
  const ValueId x = g.Any(1, 4);
  return Op(op).Value("x", x).Value("indices", Indices(g, {g.Int(1, 5), 1}, g.shape(x)[0]));
}

constexpr OpSpec kSpecs[] = {
    {"fill", kMoves, Fill},
    {"fill_like", kMoves, FillLike},
    {"range_1d", {Rule::kExact, 1}, Range},
    {"one_hot", kMoves, OneHot},
    {"band_part", kMoves, BandPart},
    {"gather", kMoves, Gather},
    {"gather_along_axis", kMoves, GatherAlongAxis},
    {"gather_nd", kMoves, GatherNd},
    {"scatter", {Rule::kExact, 4}, DrawFromTest},
    {"scatter_along_axis", {Rule::kExact, 4}, DrawFromTest},
    {"scatter_nd", {Rule::kExact, 4}, DrawFromTest},
};

}  // namespace

std::span<const OpSpec> IndexSpecs() { return kSpecs; }

}  // namespace millwright::differential
