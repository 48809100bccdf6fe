// What a device asks of programs changes how kernels are written, and nothing of what they compute.
#include "kernels/kernel.h"

#include <functional>

#include "tests/training/forwarding_device.h"
#include "tests/training/kernel_check.h"

namespace millwright::testing {
namespace {

// A device that asks for more than it needs.
class DemandingDevice : public ForwardingDevice {
 public:
  DemandingDevice(std::unique_ptr<device::Device> device,
                  const std::function<void(device::Caps&)>& demand)
      : ForwardingDevice(std::move(device)) {
    demand(caps_);
  }
};

struct Demand {
  const char* name;
  std::function<void(device::Caps&)> set;
};

const Demand kDemands[] = {
    {"width_multiple", [](device::Caps& caps) { caps.width_multiple = 32; }},
    {"max_width", [](device::Caps& caps) { caps.max_width = 40; }},
    {"no_width_slices", [](device::Caps& caps) { caps.width_slices = false; }},
    {"split_inputs", [](device::Caps& caps) { caps.split_inputs = true; }},
    {"rotary_by_matrix", [](device::Caps& caps) { caps.rotary_by_matrix = true; }},
    {"no_narrow_factors", [](device::Caps& caps) { caps.narrow_factors = false; }},
};

class TargetTest : public ::testing::TestWithParam<Demand> {};

TEST_P(TargetTest, KernelsStillEqualTheirFormulas) {
  auto exact = app::OpenDevice("reference", {.precision = Precision::kExact});
  ASSERT_TRUE(exact.ok());
  DemandingDevice device(*std::move(exact), GetParam().set);
  for (const model::ModelConfig& config : TinyConfigs()) {
    for (const kernels::Binding binding : kBindings) {
      for (const int64_t batch : {1, 2}) {
        const runtime::SessionOptions options = {.config = config,
                                                 .binding = binding,
                                                 .residual_alpha = 0.5,
                                                 .batch = batch,
                                                 .cache = batch == 1 ? 5 : 0,
                                                 .offload = OffloadEverything(29)};
        const kernels::KernelSpec spec = runtime::MakeSpec(device, options);
        for (const kernels::KernelDef* kernel : kernels::AllKernels()) {
          if (kernel->operands(spec).outputs.empty()) continue;
          kernels::OperandValues<double> values = RandomOperands(spec, *kernel);
          const auto actual = RunKernel(device, options, *kernel, values);
          kernel->formula(spec, values);
          for (const auto& [name, output] : actual) {
            const std::vector<double>& expected = values.at(name);
            EXPECT_LE(NormError(std::span(output), std::span(expected)), 1e-12)
                << kernel->name << " " << name << " " << ConfigName(config) << " "
                << BindingName(binding);
          }
        }
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, TargetTest, ::testing::ValuesIn(kDemands),
                         [](const auto& demand) { return std::string(demand.param.name); });

kernels::KernelProgram Written(kernels::Target target, kernels::Binding binding) {
  const kernels::KernelSpec spec = {
      .config = TinyGqa(model::RotaryLayout::kHalfSplit), .binding = binding, .target = target};
  auto program = kernels::Generate(kernels::Get(kernels::KernelId::kSdpaFwd), spec);
  EXPECT_TRUE(program.ok());
  return *std::move(program);
}

int64_t Count(const kernels::KernelProgram& program, std::string_view op) {
  const auto& operations = program.program.main().operations;
  return std::count_if(operations.begin(), operations.end(),
                       [&](const mil::Operation& operation) { return operation.op == op; });
}

TEST(TargetTest, ADemandIsMet) {
  const auto packed = kernels::Binding::kPacked;
  const auto plain = Written({}, packed);
  EXPECT_EQ(plain.inputs.size(), 1u);
  // x 7, then wq, wk and wv of 12 rows with 24, 12 and 12 columns, then two norms of 6.
  EXPECT_EQ(plain.inputs[0].columns, 7 + 24 + 12 + 12 + 6 + 6);
  EXPECT_EQ(plain.inputs[0].rows, 12);
  for (const kernels::Target& target :
       {kernels::Target{.width_slices = false}, kernels::Target{.max_width = 66}}) {
    const auto stacked = Written(target, packed);
    EXPECT_EQ(stacked.inputs[0].columns, 24);
    EXPECT_EQ(stacked.inputs[0].rows, 4 * 12 + 2);
  }
  EXPECT_EQ(Written({.max_width = 67}, packed).inputs[0].columns, 67);
  EXPECT_EQ(Written({.split_inputs = true}, packed).inputs.size(), 6u);
  EXPECT_EQ(Count(plain, "conv"), 0);
  const auto turned = Written({.rotary_by_matrix = true}, kernels::Binding::kSeparate);
  EXPECT_EQ(Count(turned, "conv"), 2);
  EXPECT_LT(Count(turned, "concat"), Count(plain, "concat"));
}

}  // namespace
}  // namespace millwright::testing
