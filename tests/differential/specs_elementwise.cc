// Element by element: one operand, two, or three.
#include "tests/differential/grower.h"
#include "tests/differential/op_specs.h"

namespace millwright::differential {
namespace {

using Draw = std::optional<mil::Operation>;
using mil::ValueId;

constexpr double kAny = 1e9;

// One operand with elements in [low, high], written as a template of halves' tenths.
template <int kLow, int kHigh>
Draw Unary(Grower& g, std::string_view op) {
  const ValueId x = g.Float({.low = kLow / 10.0, .high = kHigh / 10.0});
  return Op(op).Value("x", x);
}

Draw UnaryAny(Grower& g, std::string_view op) { return Op(op).Value("x", g.Float()); }

Draw UnaryExact(Grower& g, std::string_view op) {
  return Op(op).Value("x", g.Float({.exact = true}));
}

// rsqrt, inverse and log: x is positive, epsilon may be given.
template <int kLow>
Draw WithEpsilon(Grower& g, std::string_view op) {
  const ValueId x = g.Float({.low = kLow / 100.0, .high = kAny});
  Op call(op);
  call.Value("x", x);
  if (g.Coin()) call.Real("epsilon", g.type(x).dtype, g.Real(0.0, 0.5));
  return call;
}

// Floats mostly, else integers; y broadcasts or is a scalar.
Draw Pair(Grower& g, std::string_view op, const Grower::Wish& left, const Grower::Wish& right) {
  const ValueId x = g.Float(left);
  mil::Type type = g.Broadcast(x);
  ValueId y = -1;
  if (g.Coin(0.25)) {
    y = g.NewConstant({type.dtype, {}}, std::max(right.low, -2.0), std::min(right.high, 2.0));
  } else {
    y = g.OfType(type, right);
  }
  const bool swap = g.Coin(0.3) && left.low == right.low && left.high == right.high;
  return Op(op).Value("x", swap ? y : x).Value("y", swap ? x : y);
}

Draw Integers(Grower& g, std::string_view op, double low) {
  const ValueId x = g.Integer();
  const ValueId y = low > -kAny ? g.NewInput(g.Broadcast(x), low, low + 5)
                                : g.OfType(g.Broadcast(x), {.low = -9, .high = 9});
  return Op(op).Value("x", x).Value("y", y);
}

Draw Binary(Grower& g, std::string_view op) {
  return g.Coin(0.15) ? Integers(g, op, -kAny) : Pair(g, op, {}, {});
}

Draw Quotient(Grower& g, std::string_view op) {
  return Pair(g, op, {}, {.low = 0.25, .high = kAny});
}

// Quotients that are cut off: of integers, or of numbers without error.
Draw CutQuotient(Grower& g, std::string_view op) {
  if (g.Coin(0.4)) return Integers(g, op, 1);
  return Pair(g, op, {.exact = true}, {.low = 0.25, .high = kAny, .exact = true});
}

Draw Power(Grower& g, std::string_view op) {
  const ValueId x = g.Float({.low = 0.1, .high = 20});
  if (g.Coin(0.7)) {
    const double exponent = g.Pick(std::vector<double>{2, 1, 0.5, -0.5, -1, 3, 0.25});
    return Op(op).Value("x", x).Value(
        "y", g.NewConstant(mil::Constant::Scalar(g.type(x).dtype, exponent)));
  }
  return Op(op).Value("x", x).Value("y", g.OfType(g.type(x), {.low = -2, .high = 2}));
}

Draw Equality(Grower& g, std::string_view op) {
  if (g.Coin()) return Integers(g, op, -kAny);
  return Pair(g, op, {.exact = true}, {.exact = true});
}

Draw Logical(Grower& g, std::string_view op) {
  const ValueId x = g.Boolean();
  return Op(op).Value("x", x).Value("y", g.OfType(g.Broadcast(x)));
}

Draw LogicalNot(Grower& g, std::string_view op) { return Op(op).Value("x", g.Boolean()); }

Draw Select(Grower& g, std::string_view op) {
  const ValueId a = g.Float();
  mil::Type condition = g.type(a);
  condition.dtype = DType::kBool;
  const ValueId b = g.Coin(0.3) ? g.NewConstant({g.type(a).dtype, {}}) : g.OfType(g.type(a));
  return Op(op).Value("cond", g.OfType(condition)).Value("a", a).Value("b", b);
}

Draw Clip(Grower& g, std::string_view op) {
  const ValueId x = g.Float();
  const DType dtype = g.type(x).dtype;
  return Op(op)
      .Value("x", x)
      .Real("alpha", dtype, g.Real(-2, 0))
      .Real("beta", dtype, g.Real(0.5, 2));
}

Draw Threshold(Grower& g, std::string_view op) {
  const ValueId x = g.Float();
  return Op(op).Value("x", x).Real("alpha", g.type(x).dtype, g.Real(-1, 1));
}

constexpr OpBound kSimple{Rule::kCorners, 2};
constexpr OpBound kCurve{Rule::kCorners, 16};  // vector loops: Highway's 4 ulp, chained

constexpr OpSpec kSpecs[] = {
    {"add", kSimple, Binary},
    {"sub", kSimple, Binary},
    {"mul", kSimple, Binary},
    {"real_div", kSimple, Quotient},
    {"floor_div", {Rule::kExact, 1}, CutQuotient},
    {"mod", {Rule::kExact, 1}, CutQuotient},
    {"pow", kCurve, Power},
    {"maximum", kSimple, Binary},
    {"minimum", kSimple, Binary},
    {"equal", {Rule::kExact, 0}, Equality},
    {"not_equal", {Rule::kExact, 0}, Equality},
    {"less", kSimple, Binary},
    {"less_equal", kSimple, Binary},
    {"greater", kSimple, Binary},
    {"greater_equal", kSimple, Binary},
    {"logical_and", {Rule::kExact, 0}, Logical},
    {"logical_or", {Rule::kExact, 0}, Logical},
    {"logical_xor", {Rule::kExact, 0}, Logical},
    {"logical_not", {Rule::kExact, 0}, LogicalNot},
    {"select", kSimple, Select},
    {"abs", kSimple, UnaryAny},
    {"sign", kSimple, UnaryAny},
    {"square", kSimple, Unary<-400, 400>},
    {"sqrt", kSimple, Unary<1, 10000>},
    {"rsqrt", kSimple, WithEpsilon<10>},
    {"inverse", kSimple, WithEpsilon<20>},
    {"exp", kCurve, Unary<-60, 60>},
    {"exp2", kCurve, Unary<-80, 80>},
    {"log", kCurve, WithEpsilon<10>},
    {"erf", kCurve, UnaryAny},
    {"sin", kCurve, Unary<-60, 60>},
    {"cos", kCurve, Unary<-60, 60>},
    {"tan", kCurve, Unary<-12, 12>},
    {"asin", kCurve, Unary<-8, 8>},
    {"acos", kCurve, Unary<-8, 8>},
    {"atan", kCurve, UnaryAny},
    {"sinh", kCurve, Unary<-50, 50>},
    {"cosh", kCurve, Unary<-50, 50>},
    {"tanh", kCurve, UnaryAny},
    {"atanh", kCurve, Unary<-8, 8>},
    {"ceil", {Rule::kExact, 0}, UnaryExact},
    {"floor", {Rule::kExact, 0}, UnaryExact},
    {"round", {Rule::kExact, 0}, UnaryExact},
    {"clip", kSimple, Clip},
    {"threshold", kSimple, Threshold},
};

}  // namespace

std::span<const OpSpec> ElementwiseSpecs() { return kSpecs; }

}  // namespace millwright::differential
