#include "app/bench_ane_programs.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "base/rng.h"

namespace millwright::app {
namespace {

using mil::Builder;
using mil::ValueId;

constexpr double kUnit = 0x1p-3;  // of the chain's input

ValueId Conv(Builder& b, std::string_view id, ValueId x, ValueId weight) {
  return b.Op("conv", id,
              {{"x", x},
               {"weight", weight},
               {"strides", b.Ints({1, 1})},
               {"pad_type", b.Text("valid")},
               {"pad", b.Ints({0, 0, 0, 0})},
               {"dilations", b.Ints({1, 1})},
               {"groups", b.Int(1)}});
}

// Sylvester's matrix, whose entry is the parity of the common bits of row and column, times
// `scale`, with the signs of its rows (or columns) changed at random: the pair of layers `pair` has
// matrices of its own, whose product is the identity all the same.
std::vector<double> Hadamard(int64_t n, double scale, int64_t pair, bool change_rows) {
  const Rng signs(static_cast<uint64_t>(pair), StreamId("hadamard"));
  std::vector<double> matrix;
  matrix.reserve(static_cast<size_t>(n * n));
  for (int64_t row = 0; row < n; ++row) {
    for (int64_t column = 0; column < n; ++column) {
      const int common = std::popcount(static_cast<uint64_t>(row & column));
      const auto changed = static_cast<uint64_t>(change_rows ? row : column);
      const uint64_t odd = static_cast<uint64_t>(common) + signs.Below(changed, 2);
      matrix.push_back(odd % 2 == 0 ? scale : -scale);
    }
  }
  return matrix;
}

// H times 2^-a and 2^-b in turns, with 2^(a + b) channels.
class ChainWeights {
 public:
  ChainWeights(Builder& b, int64_t channels, bool eight_bits)
      : b_(b), channels_(channels), eight_bits_(eight_bits) {
    const int bits = std::countr_zero(static_cast<uint64_t>(channels));
    scales_[0] = std::ldexp(1.0, -(bits + 1) / 2);
    scales_[1] = std::ldexp(1.0, -(bits / 2));
  }

  ValueId Of(int64_t layer) const {
    const double scale = scales_[layer % 2];
    const ValueId weight =
        b_.Weights(fmt::format("layer_{}.bin", layer),
                   {eight_bits_ ? DType::kInt8 : DType::kFp16, {channels_, channels_, 1, 1}},
                   Hadamard(channels_, eight_bits_ ? 1.0 : scale, layer / 2, layer % 2 == 0));
    if (!eight_bits_) return weight;
    const std::vector<double> one = {scale};
    const ValueId factor = b_.Const(mil::Constant::Tensor({DType::kFp16, {1, 1, 1, 1}}, one));
    return b_.Op("constexpr_blockwise_shift_scale", "weight",
                 {{"data", weight}, {"scale", factor}});
  }
  // All activations before `layer` are multiples of this, and fewer than 128 of it.
  double UnitBefore(int64_t layer) const { return layer % 2 == 0 ? kUnit : kUnit * scales_[0]; }

 private:
  Builder& b_;
  int64_t channels_;
  bool eight_bits_;
  double scales_[2];
};

// To int8 and back.
ValueId Rounded(Builder& b, ValueId x, double unit) {
  const ValueId scale = b.Float(DType::kFp16, unit);
  const ValueId narrow = b.Op("quantize", "narrow",
                              {{"input", x}, {"scale", scale}, {"output_dtype", b.Text("int8")}});
  return b.Op("dequantize", "wide", {{"input", narrow}, {"scale", scale}});
}

}  // namespace

Result<std::unique_ptr<ProgramRun>> ProgramRun::Open(device::Device& device,
                                                     Result<Builder::Built> built) {
  if (!built) return built.error();
  auto run = std::make_unique<ProgramRun>();
  run->built_ = *std::move(built);
  const mil::Program& program = run->built_.program;
  for (const device::Issue& issue : device.Check(program)) {
    if (!issue.is_error()) continue;
    return BadInput("{} {}: {}", issue.constraint, issue.where, issue.message);
  }
  auto executable = device.Compile(program, run->built_.weights);
  if (!executable) return executable.error();
  run->executable_ = *std::move(executable);
  const mil::Function& main = program.main();
  for (const auto& [value, surface] :
       {std::pair{main.inputs.front(), &run->input_}, {main.outputs.front(), &run->output_}}) {
    auto made = device.NewSurface(main.value(value).type);
    if (!made) return made.error();
    *surface = *std::move(made);
  }
  device::Surface* inputs[] = {run->input_.get()};
  device::Surface* outputs[] = {run->output_.get()};
  auto call = run->executable_->Bind(inputs, outputs);
  if (!call) return call.error();
  run->call_ = *std::move(call);
  return run;
}

Status ProgramRun::Write(const std::vector<Fp16>& values) {
  auto mapping = input_->Map(device::Access::kWrite);
  if (!mapping) return mapping.error();
  std::copy(values.begin(), values.end(), mapping->as<Fp16>().begin());
  return {};
}

Result<std::vector<Fp16>> ProgramRun::Read() {
  auto mapping = output_->Map(device::Access::kRead);
  if (!mapping) return mapping.error();
  const auto values = mapping->as<Fp16>();
  return std::vector<Fp16>(values.begin(), values.end());
}

Result<Builder::Built> SmallestProgram() {
  Builder b;
  const ValueId x = b.Input("x_in", {DType::kFp16, {1, 32, 1, 64}});
  const ValueId y = b.Op("relu", "positive", {{"x", x}});
  return std::move(b).Finish({y});
}

Result<Builder::Built> ConvChain(int64_t channels, int64_t size, int64_t depth, bool eight_bits) {
  Builder b;
  ValueId x = b.Input("x_in", {DType::kFp16, {1, channels, size, size}});
  const ChainWeights weights(b, channels, eight_bits);
  for (int64_t layer = 0; layer < depth; ++layer) {
    if (eight_bits) x = Rounded(b, x, weights.UnitBefore(layer));
    x = Conv(b, "layer", x, weights.Of(layer));
  }
  return std::move(b).Finish({x});
}

std::vector<Fp16> ChainInput(int64_t channels, int64_t size) {
  const Rng rng(1, StreamId("chain"));
  std::vector<Fp16> values(static_cast<size_t>(channels * size * size));
  for (size_t i = 0; i < values.size(); ++i) {
    values[i] = DoubleToFp16(kUnit * (static_cast<double>(rng.Below(i, 3)) - 1.0));
  }
  return values;
}

Result<Builder::Built> OneConv(int64_t channels, int64_t width) {
  Builder b;
  const ValueId x = b.Input("x_in", {DType::kFp16, {1, channels, 1, width}});
  const Rng rng(1, StreamId("conv"));
  std::vector<double> values(static_cast<size_t>(channels * channels));
  for (size_t i = 0; i < values.size(); ++i) values[i] = 0.02 * rng.Normal(i);
  const ValueId weight =
      b.Weights("weight.bin", {DType::kFp16, {channels, channels, 1, 1}}, values);
  return std::move(b).Finish({Conv(b, "product", x, weight)});
}

}  // namespace millwright::app
