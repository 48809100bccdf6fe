// millwright eval: the loss of a model on a token shard.
#include <algorithm>
#include <cmath>
#include <cstdio>

#include "app/ane_flags.h"
#include "app/command.h"
#include "app/open_device.h"
#include "app/progress_bar.h"
#include "app/slow_precision.h"
#include "app/stored_model.h"
#include "app/text_data.h"
#include "base/clock.h"
#include "base/memory_info.h"
#include "base/readable_bytes.h"
#include "base/threads.h"
#include "text/open_tokenizer.h"
#include "train/evaluate.h"
#include "train/footprint.h"

namespace millwright::app {
namespace {

// Longer contexts than this are asked for with --seq: a model may be made for 40,960 tokens, and
// logits alone take 4 bytes a word of the vocabulary and position.
constexpr int64_t kLongestDefault = 2048;

struct EvalFlags {
  std::string from, device = "cpu", precision, ane_rules;
  train::TrainOptions data;  // data, tokenizer, split and text_field of it
  AneFlags ane;
  int64_t seq = 0, tokens = 0, stride = 0, bos = -1;
  bool documents = false;
  int threads = 0;
};

Status CheckFlags(const EvalFlags& flags, int64_t seq) {
  if (flags.seq < 0) return BadInput("--seq {}: is negative", flags.seq);
  if (flags.tokens < 0) return BadInput("--tokens {}: is negative", flags.tokens);
  if (flags.stride < 0 || flags.stride > seq) {
    return BadInput("--stride {}: expected 1 to {}, the tokens of a window", flags.stride, seq);
  }
  if (flags.bos >= 0 && !flags.documents) {
    return BadInput("--bos {}: only says where --documents begin", flags.bos);
  }
  return {};
}

// The tokens of --data; text is encoded by --tokenizer or by the model's own.
Result<std::shared_ptr<const data::TokenSource>> Tokens(const EvalFlags& flags,
                                                        const StoredModel& model) {
  train::TrainOptions options = flags.data;
  options.config = model.config;
  const bool own = options.tokenizer.empty() && IsText(options.data, options);
  if (own) options.tokenizer = TokenizerFolder(model);
  if (auto status = CheckTextFlags(options); !status) return status.error();
  std::unique_ptr<text::Tokenizer> tokenizer;
  if (!options.tokenizer.empty()) {
    auto opened = text::OpenTokenizer(options.tokenizer);
    if (!opened) {
      return opened.error().In(own ? "--tokenizer: is needed for text in --data" : "--tokenizer");
    }
    tokenizer = std::move(*opened);
  }
  auto tokens = OpenTokens(options.data, options, tokenizer.get(), 0);
  if (!tokens) return tokens.error().In("--data");
  return tokens;
}

Result<int64_t> BosToken(const EvalFlags& flags, const StoredModel& model) {
  if (flags.bos >= 0) return flags.bos;
  if (model.tokens.bos) return *model.tokens.bos;
  return BadInput("--documents: {} does not say which token begins a document; name it with --bos",
                  model.path);
}

Result<std::vector<data::EvalWindow>> Windows(const EvalFlags& flags, const StoredModel& model,
                                              const data::TokenSource& tokens) {
  const int64_t seq = model.config.seq;
  std::vector<data::EvalWindow> windows;
  if (flags.documents) {
    auto bos = BosToken(flags, model);
    if (!bos) return bos.error();
    windows = data::DocumentWindows(tokens, *bos, seq, flags.stride);
    if (windows.empty()) {
      return BadInput("--documents: {} has no document, which would begin with token {}",
                      tokens.name(), *bos);
    }
  } else if (flags.stride > 0) {
    windows = data::SlidingWindows(0, tokens.size(), seq, flags.stride);
  } else {
    windows = data::ConsecutiveWindows(tokens.size(), seq);
  }
  if (windows.empty()) {
    return BadInput("{}: {} tokens, fewer than one window of {}", tokens.name(), tokens.size(),
                    seq + 1);
  }
  if (flags.tokens == 0) return windows;
  size_t kept = 0;
  for (int64_t left = flags.tokens; kept < windows.size(); ++kept) {
    left -= windows[kept].predicted();
    if (left < 0) break;
  }
  if (kept == 0) {
    return BadInput("--tokens {}: the first window predicts {}", flags.tokens,
                    windows[0].predicted());
  }
  windows.resize(kept);
  return windows;
}

Status CheckMemory(const StoredModel& model, const device::Device& device) {
  train::TrainOptions options;
  options.config = model.config;
  const uint64_t need =
      train::EstimateForwardFootprint(options, device, model.config.vocab).total();
  const uint64_t available = AvailableMemory();
  if (available == 0 || need <= available) return {};
  return Failed("windows of {} tokens need {} of memory, {} are available", model.config.seq,
                ReadableBytes(need), ReadableBytes(available));
}

// The network with the model's weights, every word with a row of its own.
Result<std::unique_ptr<train::Network<float>>> LoadNetwork(const StoredModel& model,
                                                           device::Device& device) {
  auto vocab = data::VocabMap::FromActive(data::VocabMode::kFull, model.config.vocab, {});
  if (!vocab) return vocab.error();
  auto network = train::Network<float>::Create(device,
                                               {.config = model.config,
                                                .residual_alpha = model.residual_alpha,
                                                .act_clip = model.act_clip,
                                                .moments = train::Moments::kNone,
                                                .gradients = false},
                                               std::move(*vocab));
  if (!network) return network.error();
  for (auto& p : (*network)->parameters().all()) {
    auto status = model.read(p.spec, checkpoint::BlztPart::kWeight, p.value.span());
    if (!status) return status.error();
  }
  auto staged = (*network)->StageWeights();
  if (!staged) return staged.error();
  return network;
}

Result<train::Evaluation> EvaluateShown(train::Network<float>& network,
                                        const data::TokenSource& tokens,
                                        const std::vector<data::EvalWindow>& windows) {
  int64_t all = 0;
  for (const data::EvalWindow& window : windows) all += window.predicted();
  ProgressBar bar("k tokens", 1e3);
  return train::Evaluate(network, tokens, windows, [&](const train::Evaluation& so_far) {
    bar.Show(so_far.tokens, all, fmt::format("loss {:.4f}", so_far.loss));
  });
}

Result<int> RunEval(const EvalFlags& flags) {
  auto precision =
      PrecisionFromFlag(flags.precision.empty() ? DefaultPrecision(flags.device) : flags.precision);
  if (!precision) return precision.error();
  const auto rules = AneRulesFromFlag(flags.ane_rules, *precision);
  if (!rules) return rules.error();
  auto model = OpenStoredModel(flags.from);
  if (!model) return model.error().In("--from");
  model->config.seq = flags.seq > 0 ? flags.seq : std::min(model->config.seq, kLongestDefault);
  auto status = CheckFlags(flags, model->config.seq);
  if (status) status = model::Validate(model->config);
  if (!status) return status.error();
  auto tokens = Tokens(flags, *model);
  if (!tokens) return tokens.error();
  auto windows = Windows(flags, *model, **tokens);
  if (!windows) return windows.error();
  auto ane = AneOptionsFromFlags(flags.ane);
  if (!ane) return ane.error();
  auto device = OpenDevice(flags.device, {.precision = *precision,
                                          .threads = SetThreads(flags.threads),
                                          .ane = *std::move(ane),
                                          .ane_rules = *rules});
  if (!device) return device.error();
  if (!(*device)->caps().computes) {
    return BadInput("--device {}: computes nothing, so it cannot evaluate", flags.device);
  }
  WarnOfSlowPrecision(*precision, (*device)->caps());
  status = CheckMemory(*model, **device);
  if (!status) return status.error();
  auto network = LoadNetwork(*model, **device);
  if (!network) return network.error();
  fmt::print(stderr, "{} {}: {} windows of up to {} tokens\n", model->format, model->path,
             windows->size(), model->config.seq);
  const Stopwatch watch;
  auto result = EvaluateShown(**network, **tokens, *windows);
  if (!result) return result.error();
  fmt::print(stderr, "{:.0f} tokens/s\n", static_cast<double>(result->tokens) / watch.ms() * 1000);
  fmt::print("loss={:.4f} ppl={:.3f} tokens={}\n", result->loss, std::exp(result->loss),
             result->tokens);
  return kExitDone;
}

}  // namespace

void AddEvalCommand(CLI::App& app, CommandContext& context) {
  auto flags = std::make_shared<EvalFlags>();
  CLI::App* command = app.add_subcommand("eval", "Loss and perplexity of a model on tokens");
  command
      ->add_option("--from", flags->from,
                   "A run folder, a training state, a Hugging Face folder or a model file")
      ->required();
  command->add_option("--data", flags->data.data, "Token shard, or text (.txt, .jsonl)")
      ->required();
  command->add_option("--tokenizer", flags->data.tokenizer,
                      "Encodes --data where it is text (default: the model's own)");
  AddTextFlags(*command, flags->data);
  command->add_option("--seq", flags->seq,
                      "Tokens a window (default: the model's, at most 2048); windows follow each "
                      "other, a last short one is left out");
  command->add_option("--stride", flags->stride,
                      "Sliding windows: predict so many new tokens a window, after all the context "
                      "that fits");
  command->add_flag("--documents", flags->documents,
                    "Every document by itself, from position 0: it begins with a BOS token");
  command->add_option("--bos", flags->bos, "BOS of --documents (default: the model's)")
      ->check(CLI::NonNegativeNumber);
  command->add_option("--tokens", flags->tokens,
                      "Predict at most so many tokens, in whole windows (default: all)");
  command->add_option("--device", flags->device, "cpu|ane|reference")->capture_default_str();
  AddAneFlags(*command, flags->ane);
  command->add_option("--precision", flags->precision,
                      "fp32|fp16|bf16|int8|ane (default: fp32; ane on the device of that name)");
  command->add_option("--ane-rules", flags->ane_rules, kAneRulesHelp);
  command->add_option("--threads", flags->threads, "Threads (0: all cores)")->capture_default_str();
  command->callback([flags, &context] {
    context.action = [flags] {
      const auto result = RunEval(*flags);
      return result ? *result : Report(result.error());
    };
  });
}

}  // namespace millwright::app
