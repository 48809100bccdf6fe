#include "kernels/normalise.h"

namespace millwright::kernels {

Emitter::Value MeanOfChannels(Emitter& e, std::string_view id, Emitter::Value x) {
  const int64_t channels = e.b().type(x).shape[1];
  const std::vector<double> ones(static_cast<size_t>(channels), 1.0);
  const Emitter::Value sum =
      e.Conv(std::string(id) + "_sum", x, e.Table("channel_ones.bin", {1, channels, 1, 1}, ones));
  return e.b().Mul(id, sum, e.Float(1.0 / static_cast<double>(channels)));
}

Emitter::Value ByNormWeight(Emitter& e, std::string_view id, Emitter::Value x,
                            std::string_view weight) {
  const Shape shape = e.b().type(x).shape;
  const std::string base(id);
  const Emitter::Value rows = e.b().Reshape(base + "_rows", x, {1, 1, shape[1], shape[3]});
  const Emitter::Value product = e.b().Mul(base + "_weighted", rows, e.Vector(weight, shape[3]));
  return e.b().Reshape(id, product, shape);
}

}  // namespace millwright::kernels
