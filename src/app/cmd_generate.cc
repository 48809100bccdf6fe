// millwright generate: a text, continued by a model.
#include <unistd.h>

#include <cstdio>
#include <iostream>

#include "app/ane_flags.h"
#include "app/command.h"
#include "app/open_device.h"
#include "app/stored_model.h"
#include "base/threads.h"
#include "sample/chat.h"
#include "sample/decoder.h"
#include "text/open_tokenizer.h"

namespace millwright::app {
namespace {

struct GenerateFlags {
  std::string from, tokenizer;
  sample::GenerateOptions options;
  std::vector<std::string> stop;
  bool chat = false, no_think = false;
  std::string system;
  std::string device = "cpu", weights = "fp32";
  AneFlags ane;
  int threads = 0;
};

// The one that was named, else the one that lies with the model or the run.
Result<std::unique_ptr<text::Tokenizer>> FindTokenizer(const GenerateFlags& flags,
                                                       const StoredModel& model) {
  std::string path = flags.tokenizer;
  for (const std::string& folder : {model.path, flags.from, flags.from + "/model"}) {
    if (path.empty() && !TokenizerFiles(folder).empty()) path = folder;
  }
  if (path.empty()) {
    return BadInput("{} holds no tokenizer: name one with --tokenizer", flags.from);
  }
  auto tokenizer = text::OpenTokenizer(path);
  if (!tokenizer) return tokenizer.error().In("--tokenizer");
  return tokenizer;
}

Status WriteText(std::string_view text) {
  const bool ok =
      std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0;
  return ok ? Status() : Failed("standard output cannot be written");
}

double PerSecond(size_t tokens, double ms) {
  return ms > 0 ? static_cast<double>(tokens) / ms * 1000 : 0.0;
}

// The first new token is paid for with the context, the others one by one.
void PrintSpeed(const sample::Generated& g) {
  static constexpr const char* kEnds[] = {"", ", ended by the model or --stop",
                                          ", ended at the end of the model's context"};
  const size_t later = g.tokens.empty() ? 0 : g.tokens.size() - 1;
  fmt::print(stderr, "\nprompt {} tokens, {:.1f} tokens/s; then {} tokens, {:.1f} tokens/s{}\n",
             g.context.size(), PerSecond(g.context.size(), g.context_ms), g.tokens.size(),
             PerSecond(later, g.ms), kEnds[static_cast<size_t>(g.end)]);
}

Status CheckFlags(const GenerateFlags& flags) {
  if (auto valid = sample::Validate(flags.options.sampling); !valid) return valid;
  if (flags.options.tokens < 0) return BadInput("--tokens {}: is negative", flags.options.tokens);
  if (!flags.chat && (flags.no_think || !flags.system.empty())) {
    return BadInput("--system and --no-think go with --chat");
  }
  return {};
}

// One turn for --prompt, else one for each line of standard input.
Status RunChat(sample::Predictor& predictor, const text::Tokenizer& tokenizer,
               const GenerateFlags& flags, const sample::GenerateOptions& options) {
  auto chat = sample::Chat::Create(predictor, tokenizer,
                                   {.system = flags.system, .think = !flags.no_think}, options);
  if (!chat) return chat.error();
  const auto turn = [&](const std::string& text) -> Status {
    const auto answer = chat->Say(text, WriteText);
    if (!answer) return answer.error();
    PrintSpeed(*answer);
    return WriteText("\n");
  };
  if (!options.prompt.empty()) return turn(options.prompt);
  const auto ask = [] {
    if (::isatty(STDIN_FILENO) != 0) fmt::print(stderr, "> ");
  };
  std::string line;
  for (ask(); std::getline(std::cin, line); ask()) {
    if (line.empty()) continue;
    if (auto status = turn(line); !status) return status;
  }
  return {};
}

Status RunGenerate(const GenerateFlags& flags) {
  if (auto valid = CheckFlags(flags); !valid) return valid;
  const auto model = OpenStoredModel(flags.from);
  if (!model) return model.error().In("--from");
  fmt::print(stderr, "{}", ActClipWarning(*model));
  const auto tokenizer = FindTokenizer(flags, *model);
  if (!tokenizer) return tokenizer.error();
  auto valid = sample::CheckVocabulary(**tokenizer, model->config);
  if (!valid) return valid.error().In("--tokenizer");
  sample::GenerateOptions options = flags.options;
  options.model_tokens = model->tokens;
  valid = sample::AddStops(flags.stop, model->config.vocab, &options);
  if (!valid) return valid;
  const auto weights = VectorWeightsFromFlag(flags.weights);
  if (!weights) return weights.error();
  const int threads = SetThreads(flags.threads);
  const auto precision = PrecisionFromFlag(DefaultPrecision(flags.device));
  if (!precision) return precision.error();
  auto ane = AneOptionsFromFlags(flags.ane);
  if (!ane) return ane.error();
  auto device = OpenDevice(flags.device, {.precision = *precision,
                                          .threads = threads,
                                          .vector_weights = *weights,
                                          .ane = *std::move(ane)});
  if (!device) return device.error();
  if (!(*device)->caps().computes) {
    return BadInput("--device {}: computes nothing, so it cannot generate", flags.device);
  }
  auto decoder = sample::Decoder::Create(**device, model->config, OrdinaryWeights(*model));
  if (!decoder) return decoder.error();
  if (flags.chat) return RunChat(**decoder, **tokenizer, flags, options);
  const auto generated = sample::Generate(**decoder, **tokenizer, options, WriteText);
  if (!generated) return generated.error();
  PrintSpeed(*generated);
  return {};
}

}  // namespace

void AddGenerateCommand(CLI::App& app, CommandContext& context) {
  auto flags = std::make_shared<GenerateFlags>();
  sample::GenerateOptions& o = flags->options;
  CLI::App* command = app.add_subcommand("generate", "Continue a text with a model");
  command
      ->add_option("--from", flags->from,
                   "A run, a training state, a Hugging Face folder or a checkpoint")
      ->required();
  command->add_option(
      "--tokenizer", flags->tokenizer,
      "A tokenizer.json, .model or .bin, a vocab.json, or their folder (default: --from's)");
  command->add_option("--prompt", o.prompt, "The text to continue");
  command->add_option("--tokens", o.tokens, "New tokens at most")->capture_default_str();
  command->add_option("--temperature", o.sampling.temperature, "0: the most probable token always")
      ->capture_default_str();
  command->add_option("--top-k", o.sampling.top_k, "Draw among so many tokens (0: all)")
      ->capture_default_str();
  command
      ->add_option("--top-p", o.sampling.top_p,
                   "Draw among the most probable tokens that reach this probability (1: all)")
      ->capture_default_str();
  command->add_option("--seed", o.sampling.seed, "Of the draws")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  command->add_option("--stop", flags->stop,
                      "End at this token (a number) or before this text; may be repeated");
  command->add_flag("--chat", flags->chat,
                    "Answer --prompt, or each line of the input, in Qwen3's conversation format");
  command->add_option("--system", flags->system, "With --chat: the system message");
  command->add_flag("--no-think", flags->no_think, "With --chat: answer without thinking first");
  command
      ->add_option("--weights", flags->weights,
                   "fp32|bf16|int8: how the weights are read for each new token")
      ->capture_default_str();
  command->add_option("--device", flags->device, "cpu|ane|reference")->capture_default_str();
  AddAneFlags(*command, flags->ane);
  command->add_option("--threads", flags->threads, "Threads (0: all cores)")->capture_default_str();
  command->callback([flags, &context] {
    context.action = [flags] {
      const Status status = RunGenerate(*flags);
      return status ? kExitDone : Report(status.error());
    };
  });
}

}  // namespace millwright::app
