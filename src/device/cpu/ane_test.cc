// Precision ane: the reference's numbers, bit for bit.
#include <gmock/gmock.h>

#include <cmath>

#include "device/cpu/test_blobs.h"
#include "device/cpu/test_support.h"
#include "kernels/kernel.h"
#include "mil/builder.h"

namespace millwright::device::cpu {
namespace {

using mil::ValueId;
using testing::HasSubstr;

constexpr kernels::Binding kBindings[] = {kernels::Binding::kPacked, kernels::Binding::kConstant,
                                          kernels::Binding::kSeparate};

kernels::KernelSpec Spec(kernels::Binding binding, bool qk_norm) {
  return {.config = {.name = "t",
                     .title = "t",
                     .dim = 20,
                     .hidden_dim = 36,
                     .layers = 1,
                     .heads = 4,
                     .kv_heads = 2,
                     .head_dim = 6,
                     .seq = 11,
                     .vocab = 8,
                     .rotary = qk_norm ? model::RotaryLayout::kHalfSplit
                                       : model::RotaryLayout::kInterleaved,
                     .qk_norm = qk_norm},
          .binding = binding,
          .target = {.dtype = DType::kFp16, .width_multiple = 32},
          .cache = 13,
          .offload = {.rmsnorm = true,
                      .classifier = true,
                      .softmax = true,
                      .rmsnorm_backward = true,
                      .classes = 37,
                      .last_class_bias = 1.5}};
}

Result<std::vector<Tensor>> RunOn(Device& device, const mil::Program& program,
                                  const mil::WeightStore& weights, double scale) {
  std::vector<Tensor> inputs = RandomInputs(program, 5);
  for (Tensor& input : inputs) {
    for (double& value : input) value *= scale;
  }
  return RunProgram(device, program, weights, inputs);
}

// Equal as bits, so that a NaN is one and a zero has its sign.
void ExpectSame(const Tensor& a, const Tensor& b) {
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i) {
    ASSERT_TRUE(a[i] == b[i] || (std::isnan(a[i]) && std::isnan(b[i])))
        << i << ": " << a[i] << " " << b[i];
  }
}

// Small operands make products vanish, large ones overflow sums.
TEST(CpuAne, KernelsAreThoseOfTheReferenceBitForBit) {
  const auto cpu = OpenCpu(Precision::kAne), reference = OpenReference(Precision::kAne);
  for (const kernels::Binding binding : kBindings) {
    for (const bool qk_norm : {false, true}) {
      const kernels::KernelSpec spec = Spec(binding, qk_norm);
      for (const kernels::KernelDef* kernel : kernels::AllKernels()) {
        SCOPED_TRACE(fmt::format("{} {}", kernel->name, kernels::BindingName(binding)));
        const auto program = kernels::Generate(*kernel, spec);
        ASSERT_TRUE(program.ok()) << program.error().message;
        const auto weights = WithBlobs(*program, kernel->operands(spec), DType::kFp16);
        for (const double scale : {1.0, 1e-3, 300.0}) {
          const auto ours = RunOn(*cpu, program->program, weights, scale);
          const auto theirs = RunOn(*reference, program->program, weights, scale);
          ASSERT_TRUE(ours.ok() && theirs.ok());
          for (size_t i = 0; i < ours->size(); ++i) ExpectSame((*ours)[i], (*theirs)[i]);
        }
      }
    }
  }
}

// A slice of the last axis behind its first element, and the bias of a conv: the two places where
// ane takes another way than the other precisions do.
mil::Builder::Built SliceAndConv() {
  mil::Builder b;
  const ValueId in = b.Input("in", {DType::kFp16, {1, 4, 1, 40}});
  const ValueId cut = b.Slice("cut", in, {0, 0, 0, 8}, {1, 4, 1, 32});
  const ValueId weight =
      b.Weights("w.bin", {DType::kFp16, {3, 4, 1, 1}}, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12});
  const ValueId bias = b.Weights("bias.bin", {DType::kFp16, {3}}, {0.5, -1, 100});
  const ValueId out = b.Op("conv", "out", {{"x", cut}, {"weight", weight}, {"bias", bias}});
  auto built = std::move(b).Finish({out, cut});
  EXPECT_TRUE(built.ok()) << (built.ok() ? "" : built.error().message);
  return *std::move(built);
}

TEST(CpuAne, RulesReachTheDevice) {
  const auto built = SliceAndConv();
  Tensor in(160, 1.0);
  in[20] = -5000.0;
  const AneRules clamp = AneRules().Set(AneRule::kSliceClamp, true);
  const auto with = OpenCpuDevice({.precision = Precision::kAne, .ane_rules = clamp});
  ASSERT_TRUE(with.ok());
  const auto clamped = RunProgram(**with, built.program, built.weights, {in});
  const auto plain = RunProgram(*OpenCpu(Precision::kAne), built.program, built.weights, {in});
  ASSERT_TRUE(clamped.ok() && plain.ok());
  EXPECT_TRUE(std::isinf((*clamped)[1][12]));
  EXPECT_EQ((*plain)[1][12], -5000.0);
  const auto reference = OpenReferenceDevice({.precision = Precision::kAne, .ane_rules = clamp});
  const auto expected = RunProgram(**reference, built.program, built.weights, {in});
  for (size_t i = 0; i < 2; ++i) ExpectSame((*clamped)[i], (*expected)[i]);
}

TEST(CpuAne, CountsWhatItMultiplies) {
  ProductCounters ours, theirs;
  const auto cpu = OpenCpuDevice({.precision = Precision::kAne, .products = &ours});
  const auto reference = OpenReferenceDevice({.precision = Precision::kAne, .products = &theirs});
  ASSERT_TRUE(cpu.ok() && reference.ok());
  const kernels::KernelSpec spec = Spec(kernels::Binding::kSeparate, true);
  const auto program = kernels::Generate(kernels::Get(kernels::KernelId::kSdpaFwd), spec);
  ASSERT_TRUE(program.ok());
  for (Device* device : {cpu->get(), reference->get()}) {
    ASSERT_TRUE(RunOn(*device, program->program, program->constants, 0.01).ok());
  }
  EXPECT_EQ(ours.Read(), theirs.Read());
  EXPECT_GT(ours.Read().vanished, 0u);
  EXPECT_EQ(ours.Read().saturated, 0u);
}

TEST(CpuAne, ProductsAreVectorised) {
  const auto program = kernels::Generate(kernels::Get(kernels::KernelId::kWoFwd),
                                         Spec(kernels::Binding::kSeparate, false));
  ASSERT_TRUE(program.ok());
  const auto text =
      ExplainProgram(program->program, program->constants, {.precision = Precision::kAne});
  ASSERT_TRUE(text.ok());
  EXPECT_THAT(*text, HasSubstr("ane gemm 1 x [20, 24] [24, 11]"));
}

}  // namespace
}  // namespace millwright::device::cpu
