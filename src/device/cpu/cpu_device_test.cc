#include "device/cpu/cpu_device.h"

#include <gmock/gmock.h>

#include "base/aligned.h"
#include "base/clock.h"
#include "device/cpu/test_support.h"
#include "kernels/kernel.h"
#include "mil/builder.h"

namespace millwright::device::cpu {
namespace {

using mil::ValueId;
using testing::HasSubstr;

mil::Builder::Built Product(int64_t n) {
  mil::Builder b;
  const ValueId w = b.Input("w", {DType::kFp32, {1, 1, n, n}});
  const ValueId x = b.Input("v", {DType::kFp32, {1, 1, n, 5}});
  const ValueId out = b.Matmul("out", w, x, false, false);
  auto built = std::move(b).Finish({out});
  EXPECT_TRUE(built.ok());
  return *std::move(built);
}

TEST(CpuDevice, ChangedWeightsChangeTheResultOfTheSameProgram) {
  const auto built = Product(24);
  const auto device = OpenCpu();
  auto bound = BindProgram(*device, built.program, built.weights);
  ASSERT_TRUE(bound.ok());
  const auto inputs = RandomInputs(built.program, 1);
  Fill(*bound->inputs[1], inputs[1]);
  Tensor weights(24 * 24, 0.0);
  for (const double factor : {1.0, 2.0, -0.25}) {
    for (size_t i = 0; i < 24; ++i) weights[i * 24 + i] = factor;
    Fill(*bound->inputs[0], weights);
    ASSERT_TRUE(bound->call->Run().ok());
    const Tensor result = Contents(*bound->outputs[0]);
    for (size_t i = 0; i < result.size(); ++i) ASSERT_EQ(result[i], factor * inputs[1][i]);
  }
}

// Surfaces over memory of the caller, with guards before and behind.
TEST(CpuDevice, WritesNothingBesideItsOutputs) {
  const kernels::KernelSpec spec = {.config = {.name = "t",
                                               .title = "t",
                                               .dim = 20,
                                               .hidden_dim = 36,
                                               .layers = 1,
                                               .heads = 3,
                                               .kv_heads = 1,
                                               .head_dim = 6,
                                               .seq = 11,
                                               .vocab = 8},
                                    .target = {.fused_attention_backward = true},
                                    .cache = 13,
                                    .offload = {.rmsnorm = true,
                                                .classifier = true,
                                                .softmax = true,
                                                .rmsnorm_backward = true,
                                                .classes = 37}};
  constexpr size_t kGuard = 64;
  constexpr float kMark = -12345.0f;
  const auto device = OpenCpu();
  for (const kernels::KernelDef* kernel : kernels::AllKernels()) {
    if (kernel->operands(spec).outputs.empty()) continue;
    const auto program = kernels::Generate(*kernel, spec);
    ASSERT_TRUE(program.ok());
    auto executable = device->Compile(program->program, program->constants);
    ASSERT_TRUE(executable.ok()) << executable.error().message;
    std::vector<AlignedBuffer<float>> memory;
    std::vector<std::unique_ptr<Surface>> surfaces;
    std::vector<Surface*> in, out;
    for (const auto* ports : {&program->inputs, &program->outputs}) {
      for (const kernels::Port& port : *ports) {
        const auto count = static_cast<size_t>(port.rows * port.columns);
        memory.emplace_back(count + 2 * kGuard);
        std::fill_n(memory.back().data(), memory.back().size(), kMark);
        float* data = memory.back().data() + kGuard;
        if (ports == &program->inputs) std::fill_n(data, count, 0.5f);
        auto surface = device->WrapHost(
            port.type, {reinterpret_cast<std::byte*>(data), count * sizeof(float)});
        ASSERT_TRUE(surface.ok()) << surface.error().message;
        surfaces.push_back(*std::move(surface));
        (ports == &program->inputs ? in : out).push_back(surfaces.back().get());
      }
    }
    auto call = (*executable)->Bind(in, out);
    ASSERT_TRUE(call.ok()) << call.error().message;
    ASSERT_TRUE((*call)->Run().ok());
    for (size_t i = 0; i < memory.size(); ++i) {
      const AlignedBuffer<float>& m = memory[i];
      for (size_t g = 0; g < kGuard; ++g) {
        ASSERT_EQ(m[g], kMark) << kernel->name << " port " << i;
        ASSERT_EQ(m[m.size() - 1 - g], kMark) << kernel->name << " port " << i;
      }
      if (i < in.size()) continue;
      for (size_t k = kGuard; k + kGuard < m.size(); ++k) {
        ASSERT_NE(m[k], kMark) << kernel->name << " left output " << i << " unwritten at " << k;
      }
    }
  }
}

TEST(CpuDevice, WritingToASurfaceChangesItsVersion) {
  const auto device = OpenCpu();
  const auto surface = device->NewSurface({DType::kFp32, {1, 1, 2, 2}});
  ASSERT_TRUE(surface.ok());
  Surface& s = **surface;
  EXPECT_FALSE(s.held());
  s.Hold();
  EXPECT_TRUE(s.held());
  const uint64_t before = s.version();
  EXPECT_TRUE(s.Map(Access::kRead).ok());
  EXPECT_EQ(s.version(), before);
  EXPECT_TRUE(s.Map(Access::kWrite).ok());
  EXPECT_GT(s.version(), before);
  const uint64_t written = s.version();
  s.Changed();
  EXPECT_GT(s.version(), written);
}

TEST(CpuDevice, BuffersShareTheArena) {
  // A chain of products: only two of its values are ever needed at once.
  mil::Builder b;
  const int64_t n = 32, links = 10;
  ValueId x = b.Input("x0", {DType::kFp32, {1, 1, n, n}});
  for (int64_t i = 0; i < links; ++i) x = b.Matmul(fmt::format("x{}", i + 1), x, x, false, false);
  const auto built = std::move(b).Finish({x});
  ASSERT_TRUE(built.ok());
  const auto explained = ExplainProgram(built->program, built->weights, {});
  ASSERT_TRUE(explained.ok());
  const size_t at = explained->find("arena ");
  ASSERT_NE(at, std::string::npos) << *explained;
  const double bytes = std::atof(explained->c_str() + at + 6);
  EXPECT_GE(bytes, 2 * n * n * 4) << *explained;
  EXPECT_LE(bytes, 3 * n * n * 4) << *explained;
}

TEST(CpuDevice, RefusesSurfacesThatDoNotFit) {
  const auto built = Product(8);
  const auto device = OpenCpu();
  auto executable = device->Compile(built.program, built.weights);
  ASSERT_TRUE(executable.ok());
  auto small = *device->NewSurface({DType::kFp32, {1, 1, 8, 4}});
  auto weights = *device->NewSurface({DType::kFp32, {1, 1, 8, 8}});
  auto out = *device->NewSurface({DType::kFp32, {1, 1, 8, 5}});
  const std::vector<Surface*> wrong = {weights.get(), small.get()}, few = {weights.get()},
                              outputs = {out.get()};
  const auto misfit = (*executable)->Bind(wrong, outputs);
  ASSERT_FALSE(misfit.ok());
  EXPECT_THAT(misfit.error().message, HasSubstr("v"));
  EXPECT_FALSE((*executable)->Bind(few, outputs).ok());
}

TEST(CpuDevice, RefusesThePrecisionThatOnlyTheReferenceHas) {
  const auto device = OpenCpuDevice({.precision = Precision::kExact});
  ASSERT_FALSE(device.ok());
  EXPECT_THAT(device.error().message, HasSubstr("reference"));
}

// Best of a few runs of a whole kernel on each device, in one process.
TEST(CpuDevice, IsNeverSlowerThanTheReference) {
  const kernels::KernelSpec spec = {.config = {.name = "t",
                                               .title = "t",
                                               .dim = 96,
                                               .hidden_dim = 128,
                                               .layers = 1,
                                               .heads = 4,
                                               .kv_heads = 2,
                                               .head_dim = 32,
                                               .seq = 64,
                                               .vocab = 8}};
  for (const kernels::KernelDef* kernel : kernels::TrainingKernels()) {
    const auto program = kernels::Generate(*kernel, spec);
    ASSERT_TRUE(program.ok());
    const auto inputs = RandomInputs(program->program, 1, 0.5);
    std::vector<double> best;
    for (const bool cpu : {true, false}) {
      const auto device = cpu ? OpenCpu() : OpenReference(Precision::kFp32);
      auto bound = BindProgram(*device, program->program, program->constants);
      ASSERT_TRUE(bound.ok()) << bound.error().message;
      for (size_t i = 0; i < inputs.size(); ++i) Fill(*bound->inputs[i], inputs[i]);
      double fastest = 1e30;
      for (int run = 0; run < 5; ++run) {
        const Stopwatch watch;
        ASSERT_TRUE(bound->call->Run().ok());
        fastest = std::min(fastest, watch.ms());
      }
      best.push_back(fastest);
    }
    EXPECT_LE(best[0], best[1]) << kernel->name;
  }
}

}  // namespace
}  // namespace millwright::device::cpu
