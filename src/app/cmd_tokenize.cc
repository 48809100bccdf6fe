// millwright tokenize: a text file to a token shard, and back.
#include <filesystem>

#include "app/command.h"
#include "app/progress_bar.h"
#include "base/clock.h"
#include "base/escapes.h"
#include "data/tokenize.h"
#include "text/open_tokenizer.h"

namespace millwright::app {
namespace {

struct TokenizeFlags {
  std::string tokenizer, in, out, split, text_field;
  bool bos = false, eos = false, no_special = false, decode = false;
};

Status Check(const TokenizeFlags& flags) {
  const std::pair<bool, const char*> encoding_only[] = {
      {flags.bos, "--bos"},
      {flags.eos, "--eos"},
      {flags.no_special, "--no-special"},
      {!flags.text_field.empty(), "--text-field"}};
  for (const auto& [given, name] : encoding_only) {
    if (given && flags.decode) return BadInput("{}: says how to encode; not with --decode", name);
  }
  if (!flags.split.empty() && !flags.text_field.empty()) {
    return BadInput("--split: with --text-field each line is a document");
  }
  std::error_code error;
  if (std::filesystem::is_directory(flags.out, error)) {
    return BadInput("{}: is a folder; expected the name of a file to write", flags.out);
  }
  if (std::filesystem::equivalent(flags.in, flags.out, error)) {
    return BadInput("{}: is the input and the output", flags.out);
  }
  return {};
}

// The tokenizer's path as the sidecar has it: one that holds wherever the shard is read from.
std::string TokenizerName(const std::string& path) {
  std::error_code error;
  const auto absolute = std::filesystem::canonical(path, error);
  return error ? path : absolute.string();
}

Status RunTokenize(const TokenizeFlags& flags) {
  if (auto status = Check(flags); !status) return status;
  const auto split = Unescape(flags.split);
  if (!split) return split.error().In("--split");
  const auto tokenizer = text::OpenTokenizer(flags.tokenizer);
  if (!tokenizer) return tokenizer.error();
  const Stopwatch watch;
  Result<data::TokenizeReport> report = data::TokenizeReport();
  {
    ProgressBar bar(flags.decode ? "M tokens" : "MB", 1e6);
    const auto show = [&bar](int64_t done, int64_t total) { bar.Show(done, total); };
    if (flags.decode) {
      report = data::DetokenizeFile(**tokenizer, flags.in, flags.out, *split, show);
    } else {
      const data::TokenizeOptions options = {
          .bos = flags.bos,
          .eos = flags.eos,
          .split = *split,
          .text_field = flags.text_field,
          .special = flags.no_special ? text::SpecialText::kPlain : text::SpecialText::kRecognised,
          .tokenizer_name = TokenizerName(flags.tokenizer)};
      report = data::TokenizeFile(**tokenizer, flags.in, flags.out, options, show);
    }
  }
  if (!report) return report.error();
  const double seconds = watch.ms() / 1000;
  fmt::print("tokens={} documents={} bytes={}", report->tokens, report->documents, report->bytes);
  if (!flags.decode) fmt::print(" dtype=u{}", 8 * report->bytes_per_token);
  fmt::print("\n");
  fmt::print(stderr, "{} in {:.2f} s, {:.1f} MB/s of text\n", flags.out, seconds,
             static_cast<double>(report->bytes) / 1e6 / seconds);
  return {};
}

}  // namespace

void AddTokenizeCommand(CLI::App& app, CommandContext& context) {
  auto flags = std::make_shared<TokenizeFlags>();
  CLI::App* command = app.add_subcommand(
      "tokenize", "Encodes a text file into a token shard with its sidecar, or decodes one");
  command
      ->add_option("--tokenizer", flags->tokenizer,
                   "A tokenizer file (tokenizer.json, .model or .bin), or a folder that holds one")
      ->required();
  command->add_flag("--bos", flags->bos, "Put BOS before each document");
  command->add_flag("--eos", flags->eos, "Put EOS after each document");
  command->add_option("--split", flags->split,
                      "Text that ends a document, like '\\n<|endoftext|>\\n'; escapes of C are "
                      "understood (default: the file is one document)");
  command->add_option("--text-field", flags->text_field,
                      "Each line is a JSON object, and this field of it a document");
  command->add_flag("--no-special", flags->no_special,
                    "Special tokens that are written in the text are ordinary text");
  command->add_flag("--decode", flags->decode,
                    "From a shard to text; --split is written after each document");
  command->add_option("IN", flags->in, "The text file, or with --decode the shard")->required();
  command->add_option("OUT", flags->out, "The file to write")->required();
  command->callback([flags, &context] {
    context.action = [flags] {
      const Status status = RunTokenize(*flags);
      return status ? kExitDone : Report(status.error());
    };
  });
}

}  // namespace millwright::app
