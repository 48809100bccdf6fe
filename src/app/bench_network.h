// A network to measure: random weights, one random sequence.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/result.h"
#include "device/device.h"
#include "model/config.h"
#include "train/network.h"

namespace millwright::app {

// Useful floating-point operations of one micro-step, forward and backward.
struct StepWork {
  double matrices = 0;    // 6 * parameters of the layers' matrices * tokens
  double attention = 0;   // 12 * tokens^2 * q_dim * layers, halved by causality
  double classifier = 0;  // 6 * embedding rows * dim * tokens

  double total() const { return matrices + attention + classifier; }
};
StepWork WorkOfStep(const model::ModelConfig& config, int64_t rows);

// Milliseconds of an update.
struct UpdateTimes {
  double norms = 0, adamw = 0, staging = 0;

  double total() const { return norms + adamw + staging; }
};

class BenchNetwork {
 public:
  // `rows` below the vocabulary makes an `exact` compaction of that many rows; more than the
  // vocabulary are the vocabulary. `gemm_table` is of the products on the host; may be null. Fails
  // if the memory is not there. The device must outlive the network.
  static Result<std::unique_ptr<BenchNetwork>> Create(
      device::Device& device, const model::ModelConfig& config, int64_t rows,
      std::shared_ptr<const math::GemmTable> gemm_table,
      kernels::Binding binding = kernels::Binding::kSeparate);

  // Forward and backward of the sequence; the milliseconds.
  Result<double> Step();
  Result<UpdateTimes> Update();

  int64_t rows() const { return network_->vocab().rows(); }
  int64_t parameters() const { return network_->parameters().count(); }
  const train::StepTimes& times() const { return network_->times(); }
  const runtime::Session<float>& session() const { return network_->session(); }

 private:
  explicit BenchNetwork(std::unique_ptr<train::Network<float>> network);

  std::unique_ptr<train::Network<float>> network_;
  std::vector<int32_t> rows_, targets_;
  int64_t updates_ = 0;
};

}  // namespace millwright::app
