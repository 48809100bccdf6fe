// What a session makes of the host's memory.
#include "tests/training/kernel_check.h"

namespace millwright::testing {
namespace {

// All weights of all kernels are the same bytes, each in its own shape; activations have memory of
// their own.
class SharedWeights {
 public:
  SharedWeights(const kernels::KernelSpec& spec, const kernels::KernelDef& kernel,
                AlignedBuffer<double>& shared)
      : values(RandomOperands(spec, kernel)) {
    const kernels::Operands operands = kernel.operands(spec);
    for (const auto* list : {&operands.inputs, &operands.outputs}) {
      for (const kernels::Operand& operand : *list) Bind(operand, shared);
    }
  }

  kernels::OperandValues<double> values;
  runtime::OperandMemory<double> memory;

 private:
  void Bind(const kernels::Operand& operand, AlignedBuffer<double>& shared) {
    const auto size = static_cast<size_t>(operand.rows * operand.columns);
    std::vector<double>& value = values[operand.name];
    if (operand.weight) {
      ASSERT_LE(size, shared.size());
      value.assign(shared.data(), shared.data() + size);
      memory[operand.name] = shared.data();
      return;
    }
    value.resize(size);
    AlignedBuffer<double>& own = own_[operand.name] = AlignedBuffer<double>(size);
    std::ranges::copy(value, own.data());
    memory[operand.name] = own.data();
  }

  std::map<std::string, AlignedBuffer<double>> own_;
};

TEST(SessionTest, WeightsOfOtherShapesMayShareMemory) {
  auto device = app::OpenDevice("reference", {.precision = Precision::kExact});
  ASSERT_TRUE(device.ok()) << device.error().message;
  ASSERT_TRUE((*device)->caps().wraps_host_memory);
  const model::ModelConfig config = TinyMha();
  auto session = runtime::Session<double>::Open(**device, {.config = config});
  ASSERT_TRUE(session.ok()) << session.error().message;
  AlignedBuffer<double> shared(static_cast<size_t>(config.dim * config.hidden_dim));
  const Rng rng(5, 0);
  for (size_t i = 0; i < shared.size(); ++i) shared[i] = 0.5 * rng.Normal(i);
  for (const kernels::KernelDef* kernel : kernels::TrainingKernels()) {
    if (!(*session)->Has(kernel->id)) continue;
    SharedWeights operands((*session)->spec(), *kernel, shared);
    auto launch = (*session)->Prepare(kernel->id, 0, operands.memory);
    ASSERT_TRUE(launch.ok()) << launch.error().message;
    ASSERT_TRUE((*session)->StageWeights().ok());
    const Status ran = (*session)->Run(*launch);
    ASSERT_TRUE(ran.ok()) << ran.error().message;
    kernel->formula((*session)->spec(), operands.values);
    for (const kernels::Operand& output : kernel->operands((*session)->spec()).outputs) {
      const auto& expected = operands.values.at(output.name);
      EXPECT_LE(NormError(std::span<const double>(operands.memory.at(output.name), expected.size()),
                          std::span<const double>(expected)),
                8 * Gamma(DType::kFp64, config.hidden_dim + config.q_dim() + config.seq))
          << kernel->name << " " << output.name;
    }
  }
}

}  // namespace
}  // namespace millwright::testing
