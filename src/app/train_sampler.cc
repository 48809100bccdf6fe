#include "app/train_sampler.h"

#include <utility>

#include "base/clock.h"
#include "sample/decoder.h"
#include "sample/generator.h"
#include "train/export.h"

namespace millwright::app {
namespace {

constexpr int64_t kSampleTokens = 64;

}  // namespace

uint64_t SampleBytes(const model::ModelConfig& config) {
  return static_cast<uint64_t>(config.params()) * sizeof(float);
}

Status TrainSampler::Check(const train::TrainOptions& options, const device::Device& device,
                           const text::Tokenizer* tokenizer) {
  if (options.sample_every == 0) return {};
  if (!device.caps().computes) {
    return BadInput("--sample-every {}: device {} computes nothing, so it makes no text",
                    options.sample_every, device.name());
  }
  if (tokenizer == nullptr) {
    return BadInput("--sample-every {}: needs a tokenizer; name one with --tokenizer",
                    options.sample_every);
  }
  auto fits = sample::CheckVocabulary(*tokenizer, options.config);
  return fits ? fits : fits.error().In("--sample-every");
}

TrainSampler::TrainSampler(const train::TrainOptions& options, device::Device& device,
                           std::shared_ptr<const text::Tokenizer> tokenizer, int64_t first_step,
                           std::atomic<bool>& requested)
    : options_(options),
      device_(device),
      tokenizer_(std::move(tokenizer)),
      last_step_(first_step),
      requested_(requested) {}

Result<telemetry::SampleEvent> TrainSampler::Sample(train::Trainer& trainer, int64_t step) const {
  if (tokenizer_ == nullptr) return BadInput("the run has no tokenizer");
  const Stopwatch watch;
  train::Network<float>& network = trainer.network();
  const auto full =
      train::FullTensors(network.parameters(), network.vocab(), options_.seed, options_.lora);
  const auto weights = [&](const model::TensorSpec& spec, std::span<float> out) -> Status {
    if (auto status = full(spec, out); !status) return status;
    checkpoint::FoldResidualAlpha(spec.role, options_.residual_alpha, out);
    return {};
  };
  auto decoder = sample::Decoder::Create(device_, options_.config, weights);
  if (!decoder) return decoder.error();
  std::string text;
  sample::GenerateOptions generate;
  generate.prompt = options_.sample_prompt;
  generate.tokens = kSampleTokens;
  const auto generated =
      sample::Generate(**decoder, *tokenizer_, generate, [&](std::string_view piece) -> Status {
        text += piece;
        return {};
      });
  if (!generated) return generated.error();
  if (text.starts_with(generate.prompt)) text.erase(0, generate.prompt.size());
  return telemetry::SampleEvent{.step = step,
                                .prompt = generate.prompt,
                                .text = std::move(text),
                                .tokens = static_cast<int64_t>(generated->tokens.size()),
                                .ms = watch.ms()};
}

Status TrainSampler::AfterUpdate(train::Trainer& trainer, int64_t step, telemetry::Sink& sink) {
  const int64_t every = options_.sample_every, before = std::exchange(last_step_, step);
  const bool due = every > 0 && (before / every != step / every || step == options_.steps);
  if (!requested_.exchange(false) && !due) return {};
  auto sample = Sample(trainer, step);
  if (sample) return sink.Write(*sample);
  return sink.Write(telemetry::WarningEvent{step, "no text: " + sample.error().message});
}

}  // namespace millwright::app
