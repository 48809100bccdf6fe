#include "sample/forward.h"

#include <algorithm>

#include "math/embedding.h"
#include "math/rmsnorm.h"
#include "math/vector.h"
#include "runtime/weight_role.h"

namespace millwright::sample {

using kernels::KernelId;
using model::TensorRole;

int64_t PaddedLength(int64_t tokens, int64_t seq) {
  int64_t length = 32;
  while (length < tokens) length *= 2;
  return std::min(length, seq);
}

Result<std::unique_ptr<Forward>> Forward::Create(device::Device& device,
                                                 const model::ModelConfig& config,
                                                 const checkpoint::TensorSource& source) {
  auto valid = model::Validate(config);
  if (!valid) return valid.error();
  std::unique_ptr<Forward> forward(new Forward(device, config));
  for (const model::TensorSpec& spec : model::TensorTable(config)) {
    AlignedBuffer<float> tensor(static_cast<size_t>(NumElements(spec.shape)));
    auto status = source(spec, tensor.span());
    if (!status) return status.error();
    forward->weights_[{spec.role, spec.layer}] = std::move(tensor);
  }
  forward->last_ = AlignedBuffer<float>(static_cast<size_t>(config.dim));
  forward->normed_ = AlignedBuffer<float>(static_cast<size_t>(config.dim));
  forward->logits_ = AlignedBuffer<float>(static_cast<size_t>(config.vocab));
  return forward;
}

float* Forward::Weight(TensorRole role, int64_t layer) {
  return weights_.find({role, layer})->second.data();
}

Result<runtime::Session<float>::LaunchId> Forward::PrepareKernel(KernelId kernel, int64_t layer) {
  runtime::OperandMemory<float> memory;
  const kernels::Operands operands = kernels::Get(kernel).operands(stage_.session->spec());
  for (const auto* list : {&operands.inputs, &operands.outputs}) {
    for (const kernels::Operand& operand : *list) {
      if (operand.weight) {
        memory[operand.name] = Weight(*runtime::WeightRole(operand.name), layer);
        continue;
      }
      // All layers use the same activations: nothing is kept for a backward step.
      AlignedBuffer<float>& buffer = stage_.activations[operand.name];
      const auto size = static_cast<size_t>(operand.rows * operand.columns);
      if (buffer.size() == 0) buffer = AlignedBuffer<float>(size);
      memory[operand.name] = buffer.data();
    }
  }
  return stage_.session->Prepare(kernel, layer, memory);
}

// Contexts grow, so a stage that has become too short is not needed again.
Status Forward::Prepare(int64_t tokens) {
  const int64_t seq = PaddedLength(tokens, config_.seq);
  if (stage_.seq == seq) return {};
  stage_ = {};
  model::ModelConfig config = config_;
  config.seq = seq;
  auto session = runtime::Session<float>::Open(
      device_,
      {.config = config, .only = {KernelId::kSdpaFwd, KernelId::kWoFwd, KernelId::kFfnFused}});
  if (!session) return session.error();
  stage_.session = std::move(*session);
  stage_.activations["inv_rms"] = AlignedBuffer<float>(static_cast<size_t>(seq));
  for (int64_t layer = 0; layer < config_.layers; ++layer) {
    LayerLaunches launches = {};
    for (auto [kernel, launch] : {std::pair{KernelId::kSdpaFwd, &launches.attention},
                                  {KernelId::kWoFwd, &launches.projection},
                                  {KernelId::kFfnFused, &launches.ffn}}) {
      auto prepared = PrepareKernel(kernel, layer);
      if (!prepared) return prepared.error();
      *launch = *prepared;
    }
    stage_.layers.push_back(launches);
  }
  auto staged = stage_.session->StageWeights();
  if (staged) stage_.seq = seq;
  return staged;
}

// From x_next, the output of the layer before, to x_next.
Status Forward::RunLayer(int64_t layer) {
  const LayerLaunches& launches = stage_.layers[static_cast<size_t>(layer)];
  runtime::Session<float>& session = *stage_.session;
  float* x = stage_.Data("x_next");
  float* x2 = stage_.Data("x2");
  math::RmsNorm(config_.dim, stage_.seq, config_.rms_norm_eps, x,
                Weight(TensorRole::kAttnNorm, layer), stage_.Data("xnorm"), stage_.Data("inv_rms"));
  for (auto launch : {launches.attention, launches.projection}) {
    auto status = session.Run(launch);
    if (!status) return status;
  }
  math::AddScaled(config_.dim * stage_.seq, x, 1.0, stage_.Data("o"), x2);
  math::RmsNorm(config_.dim, stage_.seq, config_.rms_norm_eps, x2,
                Weight(TensorRole::kFfnNorm, layer), stage_.Data("x2norm"), stage_.Data("inv_rms"));
  return session.Run(launches.ffn);
}

// One product of the classifier with one column of the last layer's output.
void Forward::Classify(int64_t position) {
  const float* x = stage_.Data("x_next");
  for (int64_t c = 0; c < config_.dim; ++c) {
    last_[static_cast<size_t>(c)] = x[c * stage_.seq + position];
  }
  math::RmsNorm(config_.dim, 1, config_.rms_norm_eps, last_.data(), Weight(TensorRole::kFinalNorm),
                normed_.data(), stage_.Data("inv_rms"));
  gemm_.Run(math::DenseGemm(config_.vocab, 1, config_.dim, false, false),
            Weight(model::ClassifierRole(config_)), normed_.data(), logits_.data());
}

Result<std::span<const float>> Forward::Logits(std::span<const int32_t> tokens) {
  if (tokens.empty()) return BadInput("there is no token to continue");
  const auto window = std::min(tokens.size(), static_cast<size_t>(config_.seq));
  tokens = tokens.last(window);
  for (const int32_t token : tokens) {
    if (token >= 0 && token < config_.vocab) continue;
    return BadInput("token {} is outside the model's vocabulary of {}", token, config_.vocab);
  }
  auto status = Prepare(static_cast<int64_t>(window));
  if (!status) return status.error();
  std::vector<int32_t> padded(tokens.begin(), tokens.end());
  padded.resize(static_cast<size_t>(stage_.seq), tokens.back());
  math::EmbedForward(config_.dim, padded, Weight(TensorRole::kEmbedding), stage_.Data("x_next"));
  for (int64_t layer = 0; layer < config_.layers; ++layer) {
    status = RunLayer(layer);
    if (!status) return status.error();
  }
  Classify(static_cast<int64_t>(window) - 1);
  return std::span<const float>(logits_.span());
}

}  // namespace millwright::sample
