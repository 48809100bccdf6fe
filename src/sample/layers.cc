#include "sample/layers.h"

#include "kernels/weight_role.h"
#include "math/narrow.h"
#include "math/rmsnorm.h"
#include "math/vector.h"

namespace millwright::sample {

using kernels::KernelId;
using model::TensorRole;

Result<std::unique_ptr<Layers>> Layers::Create(device::Device& device, LayersOptions options,
                                               Weights& weights) {
  const model::ModelConfig& config = options.config;
  auto session = runtime::Session<float>::Open(
      device, {.config = config,
               .only = {options.attention, KernelId::kWoFwd, KernelId::kFfnFused},
               .cache = options.cache});
  if (!session) return session.error();
  std::unique_ptr<Layers> layers(new Layers(std::move(options), weights));
  layers->session_ = std::move(*session);
  layers->NarrowClassifier(device.caps().vector_weights);
  auto status = layers->PrepareAll();
  if (!status) return status.error();
  return layers;
}

Status Layers::PrepareAll() {
  const model::ModelConfig& config = options_.config;
  activations_["inv_rms"] = AlignedBuffer<float>(static_cast<size_t>(config.seq));
  for (int64_t layer = 0; layer < config.layers; ++layer) {
    Launches launches = {};
    for (auto [kernel, launch] : {std::pair{options_.attention, &launches.attention},
                                  {KernelId::kWoFwd, &launches.projection},
                                  {KernelId::kFfnFused, &launches.ffn}}) {
      auto prepared = Prepare(kernel, layer);
      if (!prepared) return prepared.error();
      *launch = *prepared;
    }
    launches_.push_back(launches);
  }
  last_ = AlignedBuffer<float>(static_cast<size_t>(config.dim));
  normed_ = AlignedBuffer<float>(static_cast<size_t>(config.dim));
  logits_ = AlignedBuffer<float>(static_cast<size_t>(config.vocab));
  return session_->StageWeights();
}

// The classifier is a product with one vector too, whatever the number of positions.
void Layers::NarrowClassifier(DType dtype) {
  classifier_dtype_ = dtype;
  if (dtype == DType::kFp32) return;
  const model::ModelConfig& c = options_.config;
  narrow_classifier_ = AlignedBuffer<std::byte>(math::NarrowBytes(dtype, c.vocab, c.dim));
  math::Narrow(weights_.Classifier(), c.dim, {dtype, c.vocab, c.dim, narrow_classifier_.data()});
}

float* Layers::Memory(const kernels::Operand& operand, int64_t layer) {
  if (operand.weight) return weights_.Get(*kernels::WeightRole(operand.name), layer);
  float* memory = options_.memory ? options_.memory(operand.name, layer) : nullptr;
  if (memory != nullptr) return memory;
  AlignedBuffer<float>& buffer = activations_[operand.name];
  const auto size = static_cast<size_t>(operand.rows * operand.columns);
  if (buffer.size() == 0) buffer = AlignedBuffer<float>(size);
  return buffer.data();
}

Result<runtime::Session<float>::LaunchId> Layers::Prepare(KernelId kernel, int64_t layer) {
  runtime::OperandMemory<float> memory;
  const kernels::Operands operands = kernels::Get(kernel).operands(session_->spec());
  for (const auto* list : {&operands.inputs, &operands.outputs}) {
    for (const kernels::Operand& operand : *list) memory[operand.name] = Memory(operand, layer);
  }
  return session_->Prepare(kernel, layer, memory);
}

Status Layers::Run(int64_t layer) {
  const Launches& launches = launches_[static_cast<size_t>(layer)];
  const model::ModelConfig& c = options_.config;
  float *x = Data("x_next"), *x2 = Data("x2"), *inv_rms = Data("inv_rms");
  math::RmsNorm(c.dim, c.seq, c.rms_norm_eps, x, weights_.Get(TensorRole::kAttnNorm, layer),
                Data("xnorm"), inv_rms);
  for (auto launch : {launches.attention, launches.projection}) {
    auto status = session_->Run(launch);
    if (!status) return status;
  }
  math::AddScaled(c.dim * c.seq, x, 1.0, Data("o"), x2);
  math::RmsNorm(c.dim, c.seq, c.rms_norm_eps, x2, weights_.Get(TensorRole::kFfnNorm, layer),
                Data("x2norm"), inv_rms);
  return session_->Run(launches.ffn);
}

std::span<const float> Layers::Classify(int64_t position) {
  const model::ModelConfig& c = options_.config;
  const float* x = Data("x_next");
  for (int64_t i = 0; i < c.dim; ++i) last_[static_cast<size_t>(i)] = x[i * c.seq + position];
  float inv_rms = 0;
  math::RmsNorm(c.dim, 1, c.rms_norm_eps, last_.data(), weights_.Get(TensorRole::kFinalNorm),
                normed_.data(), &inv_rms);
  if (classifier_dtype_ == DType::kFp32) {
    gemm_.Run(math::DenseGemm(c.vocab, 1, c.dim, false, false), weights_.Classifier(),
              normed_.data(), logits_.data());
  } else {
    math::NarrowGemv({classifier_dtype_, c.vocab, c.dim, narrow_classifier_.data()}, normed_.data(),
                     logits_.data());
  }
  return logits_.span();
}

}  // namespace millwright::sample
