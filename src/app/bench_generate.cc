#include "app/bench_generate.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/clock.h"
#include "base/memory_info.h"
#include "base/readable_bytes.h"
#include "base/rng.h"
#include "base/threads.h"
#include "math/narrow.h"
#include "math/peak.h"
#include "model/tensors.h"
#include "sample/decoder.h"

namespace millwright::app {
namespace {

constexpr int64_t kPrompt = 64, kGenerated = 64;

// What a token reads: the layers, the final norm, and as classifier [vocab, dim]; of the embedding
// only a row.
double WeightBytes(const model::ModelConfig& config, DType dtype) {
  const auto matrix = [&](int64_t rows, int64_t columns) {
    return static_cast<double>(dtype == DType::kFp32
                                   ? static_cast<size_t>(rows * columns) * sizeof(float)
                                   : math::NarrowBytes(dtype, rows, columns));
  };
  double bytes = matrix(config.vocab, config.dim);
  for (const model::TensorSpec& spec : model::TensorTable(config)) {
    if (spec.has_vocab_rows()) continue;
    bytes += spec.is_norm() ? static_cast<double>(NumElements(spec.shape)) * sizeof(float)
                            : matrix(spec.shape[0], spec.shape[1]);
  }
  return bytes;
}

// All weights are held: also an embedding apart from the classifier; narrow copies besides.
Status CheckMemory(const model::ModelConfig& config, DType dtype) {
  uint64_t need = static_cast<uint64_t>(config.params()) * sizeof(float);
  if (dtype != DType::kFp32) need += static_cast<uint64_t>(WeightBytes(config, dtype));
  const uint64_t available = AvailableMemory();
  if (available == 0 || need <= available) return {};
  return Failed("bench generate needs {} of memory for the weights, {} are available",
                ReadableBytes(need), ReadableBytes(available));
}

// Uniform, since normal values of a whole model take longer than the measurement.
Status RandomWeights(const model::TensorSpec& spec, std::span<float> out) {
  const Rng rng(1, StreamId(spec.name.c_str()));
  for (size_t i = 0; i < out.size(); ++i) {
    out[i] = spec.is_norm() ? 1.0f : static_cast<float>(0.04 * (rng.Uniform(i) - 0.5));
  }
  return {};
}

// Reads the first `prompt` tokens, then the others one by one.
Status RunOnce(sample::Decoder& decoder, std::span<const int32_t> tokens, bool warm_up,
               GenerateBench* bench) {
  Stopwatch watch;
  for (auto length = static_cast<size_t>(bench->prompt); length <= tokens.size(); ++length) {
    const auto logits = decoder.Logits(tokens.first(length));
    if (!logits) return logits.error();
    const bool prompt = length == static_cast<size_t>(bench->prompt);
    if (!warm_up) (prompt ? bench->prompt_ms : bench->token_ms).Add(watch.ms());
    watch.Restart();
  }
  return {};
}

// Another story each time, so that nothing of the last one is reused.
std::vector<int32_t> RandomTokens(const model::ModelConfig& config, uint64_t round) {
  const Rng rng(1, round);
  std::vector<int32_t> tokens(static_cast<size_t>(std::min(kPrompt + kGenerated, config.seq)));
  for (size_t i = 0; i < tokens.size(); ++i) {
    tokens[i] = static_cast<int32_t>(rng.Below(i, static_cast<uint64_t>(config.vocab)));
  }
  return tokens;
}

double Percent(const GenerateBench& b, double ms) { return 100 * b.floor_ms() / ms; }

}  // namespace

Result<GenerateBench> BenchGenerate(device::Device& device, const model::ModelConfig& config,
                                    const checkpoint::TensorSource& source, double seconds,
                                    const Progress& progress) {
  if (auto status = CheckMemory(config, device.caps().vector_weights); !status)
    return status.error();
  auto decoder = sample::Decoder::Create(device, config, source ? source : RandomWeights);
  if (!decoder) return decoder.error();
  GenerateBench bench{.model = std::string(config.title),
                      .threads = GetThreads(),
                      .weights = device.caps().vector_weights,
                      .weight_bytes = WeightBytes(config, device.caps().vector_weights),
                      .prompt = std::max<int64_t>(1, std::min(kPrompt, config.seq / 2))};
  constexpr double kReadSeconds = 0.3;
  const Stopwatch total;
  for (uint64_t round = 0; round < 2 || total.ms() < seconds * 1e3; ++round) {
    bench.read_gb_per_s = std::max(bench.read_gb_per_s, math::MeasureReadBandwidth(kReadSeconds));
    auto status = RunOnce(**decoder, RandomTokens(config, round), round == 0, &bench);
    if (!status) return status.error();
    if (progress && round > 0) {
      progress(fmt::format("generate, repetition {}: {:.2f} ms a token, {:.1f} GB/s", round,
                           bench.token_ms.minimum(), bench.read_gb_per_s));
    }
  }
  bench.read_gb_per_s = std::max(bench.read_gb_per_s, math::MeasureReadBandwidth(kReadSeconds));
  if (bench.read_gb_per_s <= 0) return Failed("bench generate: not enough memory to measure with");
  return bench;
}

std::string ToText(const GenerateBench& b) {
  const double median = b.token_ms.median(), least = b.token_ms.minimum(), floor = b.floor_ms();
  std::string text =
      fmt::format("generation with {}: {:.1f} MB of {} weights a token, {} threads\n", b.model,
                  b.weight_bytes * 1e-6, DTypeName(b.weights), b.threads);
  const auto line = [&](std::string_view label, const std::string& value) {
    text += fmt::format("  {:<20}{}\n", label, value);
  };
  line("memory",
       fmt::format("{:.1f} GB/s read, the best of what was measured in between", b.read_gb_per_s));
  line("floor",
       fmt::format("{:.2f} ms a token, {:.1f} tokens/s (weights / memory)", floor, 1e3 / floor));
  line("prompt", fmt::format("{:.1f} ms for {} tokens, {:.1f} tokens/s", b.prompt_ms.median(),
                             b.prompt, static_cast<double>(b.prompt) * 1e3 / b.prompt_ms.median()));
  line("token", fmt::format("{:.2f} ms [minimum {:.2f}] of {}, {:.1f} tokens/s [{:.1f}]", median,
                            least, b.token_ms.count(), 1e3 / median, 1e3 / least));
  line("floor / time", fmt::format("{:.1f} % [{:.1f} %]", Percent(b, median), Percent(b, least)));
  return text;
}

nlohmann::json ToJson(const GenerateBench& b) {
  return {{"model", b.model},
          {"threads", b.threads},
          {"weights", std::string(DTypeName(b.weights))},
          {"weight_bytes", b.weight_bytes},
          {"read_gb_per_s", b.read_gb_per_s},
          {"floor_ms", b.floor_ms()},
          {"floor_tokens_per_s", 1e3 / b.floor_ms()},
          {"prompt_tokens", b.prompt},
          {"prompt_ms_median", b.prompt_ms.median()},
          {"tokens", b.token_ms.count()},
          {"token_ms_median", b.token_ms.median()},
          {"token_ms_minimum", b.token_ms.minimum()},
          {"tokens_per_s", 1e3 / b.token_ms.median()},
          {"floor_percent_median", Percent(b, b.token_ms.median())},
          {"floor_percent_minimum", Percent(b, b.token_ms.minimum())}};
}

}  // namespace millwright::app
