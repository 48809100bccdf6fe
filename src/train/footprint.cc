#include "train/footprint.h"

#include "checkpoint/hf_folder.h"
#include "runtime/session.h"
#include "train/plan.h"

namespace millwright::train {
namespace {

int64_t TrainedParameters(const model::ModelConfig& config, int64_t embedding_rows) {
  const int64_t absent = config.vocab - embedding_rows;
  return config.params() - config.vocab_tensors() * absent * config.dim;
}

// Surfaces that cannot wrap host memory: per layer those that hold weights, once the others.
uint64_t SurfaceBytes(const kernels::KernelSpec& spec) {
  uint64_t total = 0;
  for (const kernels::KernelDef* kernel : kernels::TrainingKernels()) {
    const kernels::Operands operands = kernel->operands(spec);
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

}  // namespace

Footprint EstimateFootprint(const TrainOptions& options, const device::Device& device,
                            int64_t embedding_rows) {
  const runtime::SessionOptions session = {.config = options.config,
                                           .binding = options.binding,
                                           .residual_alpha = options.residual_alpha};
  const kernels::KernelSpec spec = runtime::MakeSpec(device, session);
  Footprint footprint;
  footprint.parameters = TrainedParameters(options.config, embedding_rows);
  footprint.parameter_bytes = static_cast<uint64_t>(footprint.parameters) * 16;
  const Plan plan = MakePlan(
      spec, {.act_clip = options.act_clip > 0, .residual_alpha = options.residual_alpha != 1.0});
  int64_t elements = embedding_rows * options.config.seq;
  for (const auto& [name, buffer] : plan.buffers) elements += buffer.rows * buffer.columns;
  footprint.activation_bytes = static_cast<uint64_t>(elements) * sizeof(float);
  const bool wraps = device.caps().wraps_host_memory && device.caps().storage == DType::kFp32 &&
                     options.binding != kernels::Binding::kPacked;
  footprint.surface_bytes = wraps ? 0 : SurfaceBytes(spec);
  return footprint;
}

DiskNeed EstimateDisk(const TrainOptions& options, int64_t embedding_rows) {
  DiskNeed need;
  need.state_bytes =
      static_cast<uint64_t>(TrainedParameters(options.config, embedding_rows)) * 12 + (1u << 20);
  need.run_bytes = 4 * need.state_bytes + checkpoint::HfFolderBytes(options.config);
  return need;
}

}  // namespace millwright::train
