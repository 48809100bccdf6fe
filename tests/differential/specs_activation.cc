// Activation functions.
#include "tests/differential/grower.h"
#include "tests/differential/op_specs.h"

namespace millwright::differential {
namespace {

using Draw = std::optional<mil::Operation>;
using mil::ValueId;

Draw Plain(Grower& g, std::string_view op) {
  return Op(op).Value("x", g.Float({.low = -50, .high = 50}));
}

Draw WithAlpha(Grower& g, std::string_view op) {
  const ValueId x = g.Float({.low = -50, .high = 50});
  return Op(op).Value("x", x).Real("alpha", g.type(x).dtype, g.Real(0.05, 1.5));
}

Draw WithAlphaBeta(Grower& g, std::string_view op) {
  const ValueId x = g.Float({.low = -50, .high = 50});
  const DType dtype = g.type(x).dtype;
  return Op(op)
      .Value("x", x)
      .Real("alpha", dtype, g.Real(0.1, 1.5))
      .Real("beta", dtype, g.Real(0.1, 1.5));
}

Draw Gelu(Grower& g, std::string_view op) {
  Op call(op);
  call.Value("x", g.Float({.low = -50, .high = 50}));
  const std::vector<std::string> modes = {"EXACT", "TANH_APPROXIMATION", "SIGMOID_APPROXIMATION"};
  if (g.Coin(0.7)) call.Text("mode", g.Pick(modes));
  return call;
}

// A parameter for each channel, axis 1.
Draw PerChannel(Grower& g, std::string_view op) {
  const ValueId x = g.Float({.least_rank = 3, .low = -50, .high = 50});
  const mil::Type channels{g.type(x).dtype, {g.shape(x)[1]}};
  Op call(op);
  call.Value("x", x).Value("alpha", g.NewConstant(channels, 0.1, 1.5));
  if (op == "softplus_parametric") call.Value("beta", g.NewConstant(channels, 0.1, 1.5));
  return call;
}

constexpr OpBound kCurve{Rule::kCorners, 16};
constexpr OpBound kSimple{Rule::kCorners, 4};

constexpr OpSpec kSpecs[] = {
    {"sigmoid", kCurve, Plain},
    {"sigmoid_hard", kSimple, WithAlphaBeta},
    {"silu", kCurve, Plain},
    {"gelu", kCurve, Gelu},
    {"relu", kSimple, Plain},
    {"relu6", kSimple, Plain},
    {"clamped_relu", kSimple, WithAlphaBeta},
    {"leaky_relu", kSimple, WithAlpha},
    {"prelu", kSimple, PerChannel},
    {"thresholded_relu", kSimple, WithAlpha},
    {"elu", kCurve, WithAlpha},
    {"softplus", kCurve, Plain},
    {"softplus_parametric", kCurve, PerChannel},
    {"softsign", kSimple, Plain},
    {"scaled_tanh", kCurve, WithAlphaBeta},
    {"linear_activation", kSimple, WithAlphaBeta},
};

}  // namespace

std::span<const OpSpec> ActivationSpecs() { return kSpecs; }

}  // namespace millwright::differential
