// The layers of a model (residual_alpha 1) on a device, for a fixed number of positions at a time:
// three kernels a layer, the norms and the attention's residual on the host. No layer keeps its
// activations.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/aligned.h"
#include "math/gemm.h"
#include "runtime/session.h"
#include "sample/weights.h"

namespace millwright::sample {

struct LayersOptions {
  model::ModelConfig config;                                  // config.seq positions at a time
  kernels::KernelId attention = kernels::KernelId::kSdpaFwd;  // or kSdpaCached
  int64_t cache = 0;                                          // see KernelSpec::cache
  // Host memory of an operand that differs from layer to layer and is no weight; null: one buffer
  // of this object serves all layers.
  std::function<float*(const std::string& operand, int64_t layer)> memory;
};

class Layers {
 public:
  // The device, the weights and the memory of the options must outlive the result.
  static Result<std::unique_ptr<Layers>> Create(device::Device& device, LayersOptions options,
                                                Weights& weights);

  // The buffer of operand `name`, channel-first as its kernel has it.
  float* Data(std::string_view name) { return activations_.find(name)->second.data(); }
  int64_t positions() const { return options_.config.seq; }

  // Runs a layer from the operand "x_next", [dim, positions], to "x_next".
  Status Run(int64_t layer);

  // The logits [vocab] of `position` of "x_next", valid until the next call.
  std::span<const float> Classify(int64_t position);

 private:
  struct Launches {
    runtime::Session<float>::LaunchId attention, projection, ffn;
  };

  Layers(LayersOptions options, Weights& weights)
      : options_(std::move(options)), weights_(weights) {}
  Status PrepareAll();
  void NarrowClassifier(DType dtype);
  Result<runtime::Session<float>::LaunchId> Prepare(kernels::KernelId kernel, int64_t layer);
  float* Memory(const kernels::Operand& operand, int64_t layer);

  LayersOptions options_;
  Weights& weights_;
  std::map<std::string, AlignedBuffer<float>, std::less<>> activations_;
  std::unique_ptr<runtime::Session<float>> session_;  // wraps the activations
  std::vector<Launches> launches_;
  math::GemmEngine gemm_;
  AlignedBuffer<std::byte> narrow_classifier_;  // empty where the classifier is read as fp32
  DType classifier_dtype_ = DType::kFp32;
  AlignedBuffer<float> last_, normed_, logits_;  // of the position that is classified
};

}  // namespace millwright::sample
