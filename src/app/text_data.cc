#include "app/text_data.h"

#include <array>
#include <filesystem>

#include "app/cache_folder.h"
#include "app/progress_bar.h"
#include "app/stored_model.h"
#include "base/escapes.h"
#include "base/folder.h"
#include "base/input_file.h"
#include "checkpoint/hash.h"
#include "data/token_file.h"
#include "data/tokenize.h"

namespace millwright::app {
namespace {

namespace fs = std::filesystem;

void Add(checkpoint::Hasher& hasher, std::string_view bytes) {
  hasher.Update(std::as_bytes(std::span(bytes)));
}

Status AddFile(checkpoint::Hasher& hasher, const std::string& path) {
  auto file = InputFile::Open(path);
  if (!file) return file.error();
  while (true) {
    const auto block = file->Read();
    if (!block) return block.error();
    if (block->empty()) return {};
    Add(hasher, *block);
  }
}

// The files that a tokenizer at `path` may be made of.
std::vector<std::string> FilesOf(const std::string& path) {
  std::error_code ignored;
  const bool is_folder = fs::is_directory(path, ignored);
  const fs::path folder = is_folder ? fs::path(path) : fs::path(path).parent_path();
  std::vector<std::string> files = TokenizerFiles(folder.empty() ? "." : folder.string());
  if (!is_folder) files.push_back(path);
  if (Exists(folder / "config.json")) {
    files.push_back((folder / "config.json").string());
  }
  return files;
}

Result<std::string> Key(const std::string& path, const train::TrainOptions& options,
                        const data::TokenizeOptions& how) {
  checkpoint::Hasher hasher;
  for (const std::string& file : FilesOf(options.tokenizer)) {
    if (auto status = AddFile(hasher, file); !status) return status.error();
  }
  Add(hasher, fmt::format("{} {} {} {}\n{}\n{}\n", MILLWRIGHT_VERSION, how.bos, how.eos,
                          how.text_field.size(), how.text_field, how.split));
  if (auto status = AddFile(hasher, path); !status) return status.error();
  return fmt::format("{:016x}", hasher.Digest());
}

Result<data::TokenizeOptions> HowToEncode(const std::string& path, const text::Tokenizer& tokenizer,
                                          const train::TrainOptions& options) {
  data::TokenizeOptions how;
  how.bos = tokenizer.bos().has_value();
  how.eos = !how.bos && tokenizer.eos().has_value();
  how.tokenizer_name = options.tokenizer;
  how.text_field = options.text_field;
  if (how.text_field.empty() && fs::path(path).extension() == ".jsonl") how.text_field = "text";
  auto split = Unescape(options.split);
  if (!split) return split.error().In("--split");
  if (how.text_field.empty()) how.split = *std::move(split);
  return how;
}

}  // namespace

bool IsText(const std::string& path, const train::TrainOptions& options) {
  const fs::path extension = fs::path(path).extension();
  if (extension == ".txt" || extension == ".jsonl") return true;
  return extension != ".bin" && !options.tokenizer.empty();
}

Result<std::string> ShardOfText(const std::string& path, const text::Tokenizer& tokenizer,
                                const train::TrainOptions& options) {
  auto how = HowToEncode(path, tokenizer, options);
  if (!how) return how.error();
  const auto key = Key(path, options, *how);
  if (!key) return key.error();
  const fs::path folder = CacheFolder();
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) return Failed("{}: cannot be created: {}", folder.string(), error.message());
  const fs::path shard = folder / fmt::format("{}-{}.bin", fs::path(path).stem().string(), *key);
  if (fs::exists(shard, error)) return shard.string();
  Result<data::TokenizeReport> report = data::TokenizeReport();
  {
    ProgressBar bar("MB", 1e6);
    report = data::TokenizeFile(tokenizer, path, shard.string(), *how,
                                [&bar](int64_t done, int64_t total) { bar.Show(done, total); });
  }
  if (!report) return report.error();
  fmt::print(stderr, "{}: {} tokens in {} documents, kept in {}\n", path, report->tokens,
             report->documents, shard.string());
  return shard.string();
}

Result<std::shared_ptr<const data::TokenSource>> OpenTokens(const std::string& path,
                                                            const train::TrainOptions& options,
                                                            const text::Tokenizer* tokenizer,
                                                            int64_t seq) {
  const data::TokenFileChecks checks = {.vocab = options.config.vocab, .seq = seq};
  if (!IsText(path, options)) return data::OpenTokenFile(path, checks);
  if (tokenizer == nullptr) {
    return BadInput("{}: is text; --tokenizer must say how to encode it", path);
  }
  auto shard = ShardOfText(path, *tokenizer, options);
  if (!shard) return shard.error();
  return data::OpenTokenFile(*shard, checks);
}

void AddTextFlags(CLI::App& command, train::TrainOptions& options) {
  command.add_option("--split", options.split,
                     "What ends a document of text, like '\\n<|endoftext|>\\n' (default: none)");
  command.add_option("--text-field", options.text_field,
                     "Text is JSON objects, one a line, with a document in this field (default for "
                     ".jsonl: text)");
}

Status CheckTextFlags(const train::TrainOptions& options) {
  if (options.split.empty() && options.text_field.empty()) return {};
  const char* flag = options.split.empty() ? "--text-field" : "--split";
  if (options.data.empty() || options.tokenizer.empty()) {
    return BadInput("{}: is for text in --data, which needs --tokenizer", flag);
  }
  if (!options.split.empty() && !options.text_field.empty()) {
    return BadInput("--split: with --text-field each line is a document");
  }
  return {};
}

}  // namespace millwright::app
