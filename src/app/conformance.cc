#include "app/conformance.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "base/aligned.h"
#include "base/rng.h"
#include "base/tolerance.h"
#include "inspect/error_bound.h"
#include "runtime/session.h"

namespace millwright::app {
namespace {

using kernels::Binding;
using kernels::KernelDef;
using kernels::KernelId;
using kernels::KernelSpec;
using Values = kernels::OperandValues<double>;

constexpr int64_t kCache = 5;  // past positions, unlike any dimension of the configs
constexpr double kPeak = 4.5;  // no element in 10^5 of a normal draw is more deviations off
constexpr double kResidualAlpha = 0.5;  // not 1, so that a kernel that forgets it is found

// Representable in every float type, so that bringing it to the device costs nothing.
double ToHalf(double value) { return ToFloat(DoubleToFp16(value)); }

void AddRandomInputs(const kernels::Operands& operands, Values* values) {
  for (const kernels::Operand& operand : operands.inputs) {
    const Rng rng(3, StreamId(operand.name.c_str()));
    auto& data = (*values)[operand.name];
    data.clear();
    for (int64_t i = 0; i < operand.rows * operand.columns; ++i) {
      data.push_back(ToHalf(0.5 * rng.Normal(static_cast<uint64_t>(i))));
    }
  }
}

// Random operands; the second half of attention's backward gets what the first half makes of them.
Values RandomInputs(const KernelDef& kernel, const KernelSpec& spec) {
  Values values;
  AddRandomInputs(kernel.operands(spec), &values);
  if (kernel.id != KernelId::kSdpaBwd2) return values;
  const KernelDef& first = kernels::Get(KernelId::kSdpaBwd1);
  AddRandomInputs(first.operands(spec), &values);
  first.formula(spec, values);
  for (const char* name : {"probs", "dp"}) {
    for (double& value : values[name]) value = ToHalf(value);
  }
  return values;
}

// Runs `kernel` through a session; the outputs.
template <class T>
Result<Values> RunKernel(runtime::Session<T>& session, const KernelDef& kernel,
                         const Values& inputs) {
  const kernels::Operands operands = kernel.operands(session.spec());
  std::map<std::string, AlignedBuffer<T>> memory;
  runtime::OperandMemory<T> pointers;
  for (const auto* list : {&operands.inputs, &operands.outputs}) {
    for (const kernels::Operand& operand : *list) {
      auto& buffer = memory[operand.name];
      buffer = AlignedBuffer<T>(static_cast<size_t>(operand.rows * operand.columns));
      pointers[operand.name] = buffer.data();
      if (list == &operands.outputs) continue;
      const auto& from = inputs.at(operand.name);
      std::transform(from.begin(), from.end(), buffer.data(),
                     [](double value) { return static_cast<T>(value); });
    }
  }
  auto launch = session.Prepare(kernel.id, 0, pointers);
  if (!launch) return launch.error();
  if (auto status = session.StageWeights(); !status) return status.error();
  if (auto status = session.Run(*launch); !status) return status.error();
  Values outputs;
  for (const kernels::Operand& operand : operands.outputs) {
    const auto span = memory[operand.name].span();
    outputs[operand.name].assign(span.begin(), span.end());
  }
  return outputs;
}

// The device's own objections, then the run, then the comparison.
template <class T>
ConformanceResult CheckKernel(device::Device& device, Precision precision,
                              const runtime::SessionOptions& options, const KernelDef& kernel) {
  ConformanceResult result{.config = std::string(options.config.name),
                           .binding = options.binding,
                           .kernel = std::string(kernel.name)};
  const auto fail = [&](const std::string& problem) {
    result.problem = problem;
    return result;
  };
  const KernelSpec spec = runtime::MakeSpec(device, options);
  auto program = kernels::Generate(kernel, spec);
  if (!program) return fail(program.error().message);
  for (const device::Issue& issue : device.Check(program->program)) {
    if (!issue.is_error()) continue;
    return fail(fmt::format("{} {}: {}", issue.constraint, issue.where, issue.message));
  }
  runtime::SessionOptions alone = options;
  alone.only = {kernel.id};
  auto session = runtime::Session<T>::Open(device, alone);
  if (!session) return fail(session.error().message);
  Values values = RandomInputs(kernel, spec);
  auto outputs = RunKernel(**session, kernel, values);
  if (!outputs) return fail(outputs.error().message);
  result.ok = true;
  if (!device.caps().computes) return result;
  result.compared = true;
  const auto& c = options.config;
  result.bound = ConformanceBound(*program, precision,
                                  std::max({c.dim, c.hidden_dim, c.q_dim(), c.group() * c.seq}));
  kernel.formula(spec, values);
  for (const auto& [name, actual] : *outputs) {
    const double error = NormError(std::span(actual), std::span(std::as_const(values.at(name))));
    // Not finite: worse than any bound.
    if (error <= result.error) continue;
    result.error = error;
    if (error <= result.bound) continue;
    result.ok = false;
    result.problem = fmt::format("output {} is off", name);
  }
  return result;
}

}  // namespace

namespace {

// The same networks with every size a multiple of `multiple`.
std::vector<model::ModelConfig> AlignedConfigs(int64_t multiple) {
  std::vector<model::ModelConfig> configs = ConformanceConfigs({});
  for (model::ModelConfig& config : configs) {
    config.head_dim = multiple;
    config.seq = 2 * multiple;
    config.dim = 3 * multiple;
    config.hidden_dim = 5 * multiple;
  }
  return configs;
}

}  // namespace

std::vector<model::ModelConfig> ConformanceConfigs(const device::Caps& caps) {
  if (caps.width_multiple > 1) return AlignedConfigs(caps.width_multiple);
  const model::ModelConfig mha = {.name = "mha",
                                  .title = "multi-head",
                                  .dim = 16,
                                  .hidden_dim = 20,
                                  .layers = 1,
                                  .heads = 4,
                                  .kv_heads = 4,
                                  .head_dim = 4,
                                  .seq = 6,
                                  .vocab = 23,
                                  .rope_theta = 100.0};
  const model::ModelConfig gqa = {.name = "gqa_qknorm",
                                  .title = "grouped-query with QK-norm",
                                  .dim = 12,
                                  .hidden_dim = 20,
                                  .layers = 1,
                                  .heads = 4,
                                  .kv_heads = 2,
                                  .head_dim = 6,
                                  .seq = 7,
                                  .vocab = 19,
                                  .rope_theta = 1e4,
                                  .rms_norm_eps = 1e-6,
                                  .rotary = model::RotaryLayout::kHalfSplit,
                                  .qk_norm = true};
  const model::ModelConfig wide = {.name = "wide",
                                   .title = "multiples of 32",
                                   .dim = 64,
                                   .hidden_dim = 96,
                                   .layers = 1,
                                   .heads = 4,
                                   .kv_heads = 2,
                                   .head_dim = 32,
                                   .seq = 32,
                                   .vocab = 29,
                                   .rope_theta = 1e4,
                                   .rotary = model::RotaryLayout::kHalfSplit};
  return {mha, gqa, wide};
}

double ConformanceBound(const kernels::KernelProgram& program, Precision precision,
                        int64_t longest) {
  const auto& operations = program.program.main().operations;
  const int64_t roundings =
      std::count_if(operations.begin(), operations.end(),
                    [](const mil::Operation& operation) { return operation.op != "const"; });
  constexpr double kAmplification = 4;
  switch (precision) {
    case Precision::kExact:
      return kAmplification * Gamma(DType::kFp64, roundings + longest);
    case Precision::kFp32:
      return kAmplification * Gamma(DType::kFp32, roundings + longest);
    case Precision::kFp16:
      return kAmplification * (Gamma(DType::kFp16, roundings) + Gamma(DType::kFp32, longest));
    case Precision::kBf16:
    case Precision::kInt8: {
      const auto products =
          std::count_if(operations.begin(), operations.end(),
                        [](const mil::Operation& o) { return o.op == "matmul" || o.op == "conv"; });
      const double largest = precision == Precision::kInt8 ? kPeak : 1.0;
      return static_cast<double>(products) * 2 * largest * inspect::OperandRoundoff(precision) +
             kAmplification * Gamma(DType::kFp32, roundings + longest);
    }
    case Precision::kAne:
      break;
  }
  return kAmplification * Gamma(DType::kFp16, roundings + longest);
}

namespace {

// What a device may be asked to do besides: see kernels/offload.h.
kernels::Offload Everything(int64_t classes) {
  kernels::Offload offload = *kernels::ParseOffload("all");
  offload.classes = classes;
  offload.last_class_bias = 1.25;
  return offload;
}

}  // namespace

std::vector<ConformanceResult> CheckConformance(device::Device& device, Precision precision,
                                                const model::ModelConfig& config) {
  std::vector<ConformanceResult> results;
  for (Binding binding : {Binding::kPacked, Binding::kSeparate, Binding::kConstant}) {
    const runtime::SessionOptions options = {.config = config,
                                             .binding = binding,
                                             .residual_alpha = kResidualAlpha,
                                             .cache = kCache * device.caps().width_multiple,
                                             .offload = Everything(config.vocab)};
    const KernelSpec spec = runtime::MakeSpec(device, options);
    for (const KernelDef* kernel : kernels::AllKernels()) {
      if (kernel->operands(spec).outputs.empty()) continue;
      // In the device's own element type where that is a host type: the path without copies.
      results.push_back(device.caps().storage == DType::kFp32
                            ? CheckKernel<float>(device, precision, options, *kernel)
                            : CheckKernel<double>(device, precision, options, *kernel));
    }
  }
  return results;
}

}  // namespace millwright::app
