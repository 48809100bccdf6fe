#include "app/bench_network.h"

#include <algorithm>
#include <numeric>

#include "base/clock.h"
#include "base/memory_info.h"
#include "base/readable_bytes.h"
#include "base/rng.h"
#include "data/vocabulary.h"
#include "math/update_loop.h"
#include "train/footprint.h"
#include "train/optimizer.h"

namespace millwright::app {
namespace {

Result<data::VocabMap> MakeVocab(int64_t vocab, int64_t rows) {
  if (rows >= vocab) return data::VocabMap::FromActive(data::VocabMode::kFull, vocab, {});
  std::vector<int32_t> active(static_cast<size_t>(rows - 1));  // one more row is shared
  std::iota(active.begin(), active.end(), 0);
  return data::VocabMap::FromActive(data::VocabMode::kExact, vocab, std::move(active));
}

std::vector<int32_t> RandomRows(int64_t count, int64_t rows, uint64_t stream) {
  const Rng rng(1, stream);
  std::vector<int32_t> result(static_cast<size_t>(count));
  for (size_t i = 0; i < result.size(); ++i) {
    result[i] = static_cast<int32_t>(rng.Below(i, static_cast<uint64_t>(rows)));
  }
  return result;
}

Status CheckMemory(const device::Device& device, const model::ModelConfig& config, int64_t rows,
                   kernels::Binding binding) {
  train::TrainOptions options;
  options.config = config;
  options.binding = binding;
  const uint64_t need =
      train::EstimateFootprint(options, device, rows).total() + math::UpdateLoop::kBytes;
  const uint64_t available = AvailableMemory();
  if (available == 0 || need <= available) return {};
  return Failed("a step with {} embedding rows needs {} of memory, {} are available", rows,
                ReadableBytes(need), ReadableBytes(available));
}

}  // namespace

StepWork WorkOfStep(const model::ModelConfig& config, int64_t rows) {
  int64_t matrices = 0;
  for (const model::TensorSpec& spec : model::TensorTable(config)) {
    const bool counts = !spec.is_norm() && !spec.has_vocab_rows();
    if (counts) matrices += NumElements(spec.shape);
  }
  const auto t = static_cast<double>(config.seq);
  return {.matrices = 6 * static_cast<double>(matrices) * t,
          .attention = 6 * t * t * static_cast<double>(config.q_dim() * config.layers),
          .classifier = 6 * static_cast<double>(rows * config.dim) * t};
}

BenchNetwork::BenchNetwork(std::unique_ptr<train::Network<float>> network)
    : network_(std::move(network)),
      rows_(RandomRows(network_->config().seq, network_->vocab().rows(), 0)),
      targets_(RandomRows(network_->config().seq, network_->vocab().rows(), 1)) {}

Result<std::unique_ptr<BenchNetwork>> BenchNetwork::Create(
    device::Device& device, const model::ModelConfig& config, int64_t rows,
    std::shared_ptr<const math::GemmTable> gemm_table, kernels::Binding binding) {
  if (rows < 2) return BadInput("--vocab-rows {}: at least 2 are needed", rows);
  rows = std::min(rows, config.vocab);
  if (auto status = CheckMemory(device, config, rows, binding); !status) return status.error();
  auto vocab = MakeVocab(config.vocab, rows);
  if (!vocab) return vocab.error();
  auto network = train::Network<float>::Create(
      device, {.config = config, .binding = binding, .gemm_table = std::move(gemm_table)},
      std::move(*vocab));
  if (!network) return network.error();
  (*network)->parameters().Init(42, (*network)->vocab());
  if (auto status = (*network)->StageWeights(); !status) return status.error();
  return std::unique_ptr<BenchNetwork>(new BenchNetwork(std::move(*network)));
}

Result<double> BenchNetwork::Step() {
  const Stopwatch watch;
  auto loss = network_->LossAndGradient(rows_, targets_, 1.0);
  if (!loss) return loss.error();
  return watch.ms();
}

Result<UpdateTimes> BenchNetwork::Update() {
  UpdateTimes times;
  Stopwatch watch;
  const auto norms = train::MeasureGradients(network_->parameters(), network_->vocab(), 1.0);
  times.norms = watch.ms();
  watch.Restart();
  train::Update(network_->parameters(), norms, {.lr = 1e-4, .adam_step = ++updates_});
  times.adamw = watch.ms();
  watch.Restart();
  if (auto status = network_->StageWeights(); !status) return status.error();
  times.staging = watch.ms();
  return times;
}

}  // namespace millwright::app
