// millwright generate: a text, continued by a model.
#include <cstdio>
#include <filesystem>

#include "app/command.h"
#include "app/open_device.h"
#include "app/stored_model.h"
#include "base/threads.h"
#include "checkpoint/hf_folder.h"
#include "sample/generator.h"
#include "text/open_tokenizer.h"

namespace millwright::app {
namespace {

namespace fs = std::filesystem;

struct GenerateFlags {
  std::string from, tokenizer;
  sample::GenerateOptions options;
  std::string device = "cpu";
  int threads = 0;
};

// The model's folder: of a run, its model/.
std::string ModelFolder(const std::string& from) {
  std::error_code ignored;
  const fs::path inner = fs::path(from) / "model";
  return fs::is_directory(inner, ignored) ? inner.string() : from;
}

// The one that was named, else the one that lies with the model or the run.
Result<std::unique_ptr<text::Tokenizer>> FindTokenizer(const GenerateFlags& flags,
                                                       const std::string& model_folder) {
  std::string path = flags.tokenizer;
  for (const std::string& folder : {model_folder, flags.from}) {
    if (path.empty() && !TokenizerFiles(folder).empty()) path = folder;
  }
  if (path.empty()) {
    return BadInput("{} holds no tokenizer: name one with --tokenizer", model_folder);
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

Result<int> RunGenerate(const GenerateFlags& flags) {
  auto valid = sample::Validate(flags.options.sampling);
  if (!valid) return valid.error();
  if (flags.options.tokens < 0) return BadInput("--tokens {}: is negative", flags.options.tokens);
  const std::string folder = ModelFolder(flags.from);
  const auto model = checkpoint::HfFolder::Open(folder);
  if (!model) return model.error().In("--from");
  const auto tokenizer = FindTokenizer(flags, folder);
  if (!tokenizer) return tokenizer.error();
  valid = sample::CheckVocabulary(**tokenizer, model->config());
  if (!valid) return valid.error().In("--tokenizer");
  const int threads = SetThreads(flags.threads);
  auto device = OpenDevice(flags.device, {.precision = Precision::kFp32, .threads = threads});
  if (!device) return device.error();
  if (!(*device)->caps().computes) {
    return BadInput("--device {}: computes nothing, so it cannot generate", flags.device);
  }
  auto forward = sample::Forward::Create(
      **device, model->config(),
      [&](const model::TensorSpec& spec, std::span<float> out) { return model->Read(spec, out); });
  if (!forward) return forward.error();

  sample::GenerateOptions options = flags.options;
  options.model_tokens = model->tokens();
  const auto generated = sample::Generate(**forward, **tokenizer, options, WriteText);
  if (!generated) return generated.error();
  const auto tokens = static_cast<double>(generated->tokens.size());
  fmt::print(stderr, "\n{} tokens, {:.1f} tokens/s{}\n", generated->tokens.size(),
             generated->ms > 0 ? tokens / generated->ms * 1000 : 0.0,
             generated->stopped ? ", ended by the model" : "");
  return kExitDone;
}

}  // namespace

void AddGenerateCommand(CLI::App& app, CommandContext& context) {
  auto flags = std::make_shared<GenerateFlags>();
  sample::GenerateOptions& o = flags->options;
  CLI::App* command = app.add_subcommand("generate", "Continue a text with a model");
  command->add_option("--from", flags->from, "A Hugging Face folder or a run folder")->required();
  command->add_option("--tokenizer", flags->tokenizer,
                      "A tokenizer.json or tokenizer.bin, or its folder (default: --from's)");
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
  command->add_option("--device", flags->device, "cpu|reference")->capture_default_str();
  command->add_option("--threads", flags->threads, "Threads (0: all cores)")->capture_default_str();
  command->callback([flags, &context] {
    context.action = [flags] {
      const auto result = RunGenerate(*flags);
      return result ? *result : Report(result.error());
    };
  });
}

}  // namespace millwright::app
