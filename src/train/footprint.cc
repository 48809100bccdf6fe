#include "train/footprint.h"

#include <set>

#include "math/int8.h"
#include "runtime/session.h"
#include "train/freeze.h"
#include "train/plan.h"

namespace millwright::train {
namespace {

struct ParameterCounts {
  int64_t all = 0, trained = 0;
};

ParameterCounts CountParameters(const TrainOptions& options, int64_t embedding_rows) {
  ParameterCounts counts;
  const std::vector<std::string> frozen = FrozenPatterns(options);
  for (const model::TensorSpec& spec : model::TensorTable(options.config)) {
    const int64_t elements =
        spec.has_vocab_rows() ? embedding_rows * options.config.dim : NumElements(spec.shape);
    counts.all += elements;
    if (!IsFrozen(frozen, spec)) counts.trained += elements;
  }
  if (!options.lora.enabled()) return counts;
  for (const model::TensorSpec& spec : model::AdapterTable(options.config, options.lora)) {
    counts.all += NumElements(spec.shape);
    counts.trained += NumElements(spec.shape);
  }
  return counts;
}

uint64_t MomentBytes(const TrainOptions& options) { return options.moments == "bf16" ? 2 : 4; }

std::set<kernels::KernelId> KernelsOf(const Plan& plan) {
  std::set<kernels::KernelId> kernels;
  for (const auto* steps : {&plan.forward, &plan.backward}) {
    for (const PlanStep& step : *steps) {
      if (step.kind == StepKind::kKernel) kernels.insert(step.kernel);
    }
  }
  return kernels;
}

// Surfaces of the plan's kernels that cannot wrap host memory: per layer those that hold weights,
// once the others.
uint64_t SurfaceBytes(const kernels::KernelSpec& spec, const Plan& plan) {
  uint64_t total = 0;
  for (const kernels::KernelId kernel : KernelsOf(plan)) {
    const kernels::Operands operands = kernels::Get(kernel).operands(spec);
    for (const auto* list : {&operands.inputs, &operands.outputs}) {
      for (const kernels::Operand& operand : *list) {
        const auto bytes =
            static_cast<uint64_t>(operand.rows * operand.columns) * DTypeSize(spec.target.dtype);
        const bool per_layer = operand.weight || spec.binding == kernels::Binding::kPacked;
        total += bytes * static_cast<uint64_t>(per_layer ? spec.config.layers : 1);
      }
    }
  }
  return total;
}

// What the classifier and its softmax keep on the device: weights, logits in and out,
// probabilities.
uint64_t ClassifierSurfaceBytes(const kernels::KernelSpec& spec) {
  const kernels::Offload& offload = spec.offload;
  int64_t elements = 0;
  if (offload.classifier) elements += offload.classes * (spec.config.dim + spec.columns());
  if (offload.softmax) elements += 2 * offload.classes * spec.columns();
  return static_cast<uint64_t>(elements) * DTypeSize(spec.target.dtype);
}

// Precisions int8 and bf16: the narrow form of a layer's matrices, one for each kernel that reads
// it.
uint64_t NarrowWeightBytes(const TrainOptions& options, const kernels::KernelSpec& spec,
                           const Plan& plan) {
  const bool int8 = options.precision == PrecisionName(Precision::kInt8);
  if (!int8 && options.precision != PrecisionName(Precision::kBf16)) return 0;
  uint64_t total = 0;
  for (const kernels::KernelId kernel : KernelsOf(plan)) {
    for (const kernels::Operand& operand : kernels::Get(kernel).operands(spec).inputs) {
      if (!operand.weight) continue;
      total += int8 ? math::Int8WeightsBytes(operand.rows, operand.columns)
                    : static_cast<uint64_t>(operand.rows * operand.columns) * sizeof(Bf16);
    }
  }
  return total * static_cast<uint64_t>(spec.config.layers);
}

// All but the parameters.
Footprint ActivationFootprint(const TrainOptions& options, const device::Device& device,
                              int64_t embedding_rows, bool backward) {
  kernels::Offload offload = *kernels::ParseOffload(options.offload);
  offload.classes = embedding_rows;
  const runtime::SessionOptions session = {.config = options.config,
                                           .binding = options.binding,
                                           .residual_alpha = options.residual_alpha,
                                           .lora = options.lora,
                                           .batch = options.batch,
                                           .offload = offload};
  const kernels::KernelSpec spec = runtime::MakeSpec(device, session);
  Footprint footprint;
  const Plan plan = MakePlan(spec, {.act_clip = options.act_clip > 0,
                                    .residual_alpha = options.residual_alpha != 1.0,
                                    .backward = backward,
                                    .recompute = options.recompute,
                                    .trained = nullptr});
  const bool probabilities = offload.softmax && backward;
  int64_t elements = embedding_rows * spec.columns() * (probabilities ? 2 : 1);
  for (const auto& [name, buffer] : plan.buffers) elements += buffer.rows * buffer.columns;
  footprint.activation_bytes = static_cast<uint64_t>(elements) * sizeof(float);
  const bool wraps = device.caps().wraps_host_memory && device.caps().storage == DType::kFp32 &&
                     options.binding != kernels::Binding::kPacked;
  footprint.surface_bytes = wraps ? 0 : SurfaceBytes(spec, plan) + ClassifierSurfaceBytes(spec);
  footprint.surface_bytes += NarrowWeightBytes(options, spec, plan);
  return footprint;
}

}  // namespace

Footprint EstimateFootprint(const TrainOptions& options, const device::Device& device,
                            int64_t embedding_rows) {
  Footprint footprint = ActivationFootprint(options, device, embedding_rows, true);
  const ParameterCounts counts = CountParameters(options, embedding_rows);
  footprint.parameters = counts.trained;
  footprint.parameter_bytes =
      static_cast<uint64_t>(counts.trained) * (4 + 4 + 2 * MomentBytes(options)) +
      static_cast<uint64_t>(counts.all - counts.trained) * 4;
  return footprint;
}

Footprint EstimateForwardFootprint(const TrainOptions& options, const device::Device& device,
                                   int64_t embedding_rows) {
  Footprint footprint = ActivationFootprint(options, device, embedding_rows, false);
  footprint.parameter_bytes =
      static_cast<uint64_t>(CountParameters(options, embedding_rows).all) * 4;
  return footprint;
}

DiskNeed EstimateDisk(const TrainOptions& options, const Origin& origin, int64_t embedding_rows) {
  DiskNeed need;
  const ParameterCounts counts = CountParameters(options, embedding_rows);
  need.state_bytes = static_cast<uint64_t>(counts.all) * 4 +
                     static_cast<uint64_t>(counts.trained) * 2 * MomentBytes(options) + (1u << 20);
  need.run_bytes = 4 * need.state_bytes +
                   checkpoint::HfFolderBytes(options.config, ExportOptions(options, origin));
  return need;
}

}  // namespace millwright::train
