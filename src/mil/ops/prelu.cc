#include <algorithm>

#include "mil/ops/channels.h"

namespace millwright::mil {
namespace {

Types Infer(const Call& call) {
  if (Status status = CheckChannels(call, {"alpha"}); !status) return status.error();
  const Type& x = call.type("x");
  const Array* alpha = call.Find("alpha")->arrays.front();
  if (x.shape.size() != 4 && alpha != nullptr &&
      std::ranges::any_of(alpha->data, [&](double a) { return a != alpha->data.front(); })) {
    return call.Bad("'alpha' must be the same for all channels where 'x' has not rank 4: {}",
                    ToString(x));
  }
  return std::vector<Type>{x};
}

Arrays Evaluate(const Call& call, std::span<const Type> results, const Numerics&) {
  const std::vector<double>& alpha = call.array("alpha").data;
  return std::vector<Array>{MapChannels(call.array("x"), results[0], [&](double x, size_t channel) {
    return x < 0.0 ? alpha[channel] * x : x;
  })};
}

}  // namespace

const OpDef k_prelu = {
    .name = "prelu",
    .doc = R"(
x where x >= 0, alpha[c] * x elsewhere, where c is the channel of the element.
  x       [n, C, *D], fp16 or fp32, rank 3 to 5
  alpha   constant [C], a float; the same for all channels where the rank is not 4
Opset ios15. Source: coremltools, MIL ops, iOS15 and iOS17 activation.)",
    .params = {{.name = "x"}, {.name = "alpha", .constant = true}},
    .infer = Infer,
    .evaluate = Evaluate,
};

}  // namespace millwright::mil
