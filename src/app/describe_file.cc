// The kinds of files that `info` knows, told apart by what they begin with, then by name.
#include <algorithm>
#include <cstring>
#include <filesystem>
#include <map>
#include <set>
#include <string_view>

#include "app/describe.h"
#include "base/mapped_file.h"
#include "checkpoint/blzt.h"
#include "checkpoint/llama2c.h"
#include "checkpoint/safetensors.h"
#include "data/token_file.h"
#include "mil/text.h"
#include "mil/verify.h"
#include "model/hf_config.h"
#include "telemetry/metrics_reader.h"
#include "text/open_tokenizer.h"

namespace millwright::app {
namespace {

namespace fs = std::filesystem;

template <class T>
T Load(std::string_view bytes, size_t offset) {
  T value{};
  if (offset + sizeof(T) <= bytes.size()) std::memcpy(&value, bytes.data() + offset, sizeof(T));
  return value;
}

double Megabytes(std::string_view bytes) { return static_cast<double>(bytes.size()) / 1e6; }

Result<std::string> DescribeBlzt(const std::string& path) {
  auto file = checkpoint::BlztFile::Open(path);
  if (!file) return file.error();
  const checkpoint::BlztProgress& p = file->progress();
  return fmt::format("{}: BLZT checkpoint, version {}\n{}{}{}", path, file->version(),
                     DescribeConfig(file->config()),
                     DescriptionLine("position", fmt::format("step {} of {}, {} Adam updates",
                                                             p.step, p.total_steps, p.adam_t)),
                     DescriptionLine("loss", fmt::format("{:.4f}, lr {}", p.loss, p.lr)));
}

Result<std::string> DescribeLlama2c(const std::string& path) {
  auto file = checkpoint::Llama2cFile::Open(path);
  if (!file) return file.error();
  const checkpoint::Llama2cFormat& format = file->format();
  const std::string dtype =
      format.version == 2 ? fmt::format("Q8_0 in groups of {}", format.group_size) : "fp32";
  return fmt::format("{}: llama2.c model, version {}\n{}{}", path, format.version,
                     DescribeConfig(file->config()), DescriptionLine("weights", dtype));
}

Result<std::string> DescribeSafetensors(const std::string& path) {
  auto file = checkpoint::Safetensors::Open(path);
  if (!file) return file.error();
  constexpr size_t kShown = 12;
  struct Total {
    int64_t tensors = 0, elements = 0;
  };
  std::map<std::string, Total> totals;
  for (const auto& entry : file->entries()) {
    Total& total = totals[entry.dtype_name];
    ++total.tensors;
    total.elements += NumElements(entry.shape);
  }
  std::string text =
      fmt::format("{}: safetensors, {} tensors, {:.1f} MB\n", path, file->entries().size(),
                  static_cast<double>(file->file_bytes().size()) / 1e6);
  for (const auto& [dtype, total] : totals) {
    text += DescriptionLine(dtype, fmt::format("{} tensors, {:.2f}M elements", total.tensors,
                                               static_cast<double>(total.elements) / 1e6));
  }
  for (const auto& [key, value] : file->metadata()) {
    text += DescriptionLine("metadata", fmt::format("{} = {}", key, value));
  }
  for (size_t i = 0; i < std::min(kShown, file->entries().size()); ++i) {
    const auto& entry = file->entries()[i];
    text += DescriptionLine("tensor", fmt::format("{} {} {}", entry.name, entry.dtype_name,
                                                  ShapeToString(entry.shape)));
  }
  if (file->entries().size() > kShown) {
    text += DescriptionLine("", fmt::format("and {} more", file->entries().size() - kShown));
  }
  return text;
}

std::string ValueList(const mil::Function& function, const std::vector<mil::ValueId>& ids) {
  std::string text;
  for (mil::ValueId id : ids) {
    const mil::Value& value = function.value(id);
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", value.id, mil::ToString(value.type));
  }
  return text;
}

// "conv 3, matmul 2": constants left out, the most frequent first.
std::string OperationCounts(const mil::Function& function) {
  std::map<std::string, int64_t> counts;
  for (const mil::Operation& operation : function.operations) {
    if (operation.op != "const") ++counts[operation.op];
  }
  std::vector<std::pair<std::string, int64_t>> sorted(counts.begin(), counts.end());
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  std::string text;
  for (const auto& [name, count] : sorted) {
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", name, count);
  }
  return text;
}

std::string WeightFiles(const mil::Function& function) {
  std::set<std::string> paths;
  for (const mil::Operation& operation : function.operations) {
    for (const mil::Attribute& attribute : operation.attributes) {
      if (attribute.value.blob()) paths.insert(attribute.value.blob()->path);
    }
  }
  std::string text;
  for (const std::string& path : paths) text += (text.empty() ? "" : ", ") + path;
  return text;
}

Result<std::string> DescribeMil(const std::string& path, std::string_view bytes) {
  auto program = mil::Parse(bytes, path);
  if (!program) return program.error();
  std::string text = fmt::format("{}: MIL program({})\n", path, program->version);
  for (const mil::Function& function : program->functions) {
    text += DescriptionLine("function", fmt::format("{}, {}", function.name, function.opset));
    text += DescriptionLine("inputs", ValueList(function, function.inputs));
    text += DescriptionLine("outputs", ValueList(function, function.outputs));
    text += DescriptionLine("operations", OperationCounts(function));
    const std::string files = WeightFiles(function);
    if (!files.empty()) text += DescriptionLine("weights", files);
  }
  const Status verified = mil::Verify(*program);
  text += DescriptionLine("types", verified ? "verified" : verified.error().message);
  return text;
}

bool IsBlobFile(std::string_view bytes) {
  constexpr uint32_t kSentinel = 0xDEADBEEF;
  return bytes.size() >= 128 && Load<uint32_t>(bytes, 4) == 2 &&
         Load<uint32_t>(bytes, 64) == kSentinel;
}

std::string DescribeBlobFile(const std::string& path, std::string_view bytes) {
  return fmt::format("{}: MIL weight file\n{}", path,
                     DescriptionLine("blobs", fmt::format("{}, {:.2f} MB", Load<uint32_t>(bytes, 0),
                                                          Megabytes(bytes))));
}

std::string DescribeTokenizer(const std::string& path, const text::Tokenizer& tokenizer) {
  std::string ids;
  if (tokenizer.bos()) ids += fmt::format("BOS {}", *tokenizer.bos());
  if (tokenizer.eos()) ids += fmt::format("{}EOS {}", ids.empty() ? "" : ", ", *tokenizer.eos());
  return fmt::format("{}: tokenizer\n{}{}{}", path, DescriptionLine("kind", tokenizer.kind()),
                     DescriptionLine("vocabulary", fmt::format("{}", tokenizer.vocab_size())),
                     DescriptionLine("tokens", ids.empty() ? "no BOS or EOS" : ids));
}

Result<std::string> DescribeShard(const std::string& path, bool has_sidecar) {
  auto info = data::ReadShardInfo(path);
  if (!info) return info.error();
  auto tokens = data::OpenTokenFile(path, {.vocab = info->vocab});
  if (!tokens) return tokens.error();
  constexpr int64_t kChunk = 1 << 16;
  std::vector<int32_t> chunk;
  std::set<int32_t> words;
  for (int64_t at = 0; at < (*tokens)->size(); at += kChunk) {
    chunk.resize(static_cast<size_t>(std::min(kChunk, (*tokens)->size() - at)));
    (*tokens)->Copy(at, chunk);
    std::sort(chunk.begin(), chunk.end());
    words.insert(chunk.begin(), std::unique(chunk.begin(), chunk.end()));
  }
  std::string text = fmt::format("{}: token shard\n", path);
  text += DescriptionLine("tokens",
                          fmt::format("{} of {} bytes{}", (*tokens)->size(), info->bytes_per_token,
                                      has_sidecar ? "" : " (no sidecar: assumed)"));
  text += DescriptionLine("words", fmt::format("{} different ids, {} to {}", words.size(),
                                               *words.begin(), *words.rbegin()));
  if (info->vocab > 0) text += DescriptionLine("vocabulary", fmt::format("{}", info->vocab));
  if (!info->tokenizer.empty()) text += DescriptionLine("tokenizer", info->tokenizer);
  return text + DescriptionLine("hash", fmt::format("{:016x}", (*tokens)->hash()));
}

Result<std::string> DescribeBin(const std::string& path, std::string_view bytes) {
  if (IsBlobFile(bytes)) return DescribeBlobFile(path, bytes);
  if (auto tokenizer = text::OpenTokenizer(path)) return DescribeTokenizer(path, **tokenizer);
  if (checkpoint::LooksLikeLlama2c(std::as_bytes(std::span(bytes)))) return DescribeLlama2c(path);
  return DescribeShard(path, false);
}

Result<std::string> DescribeJson(const std::string& path, std::string_view bytes) {
  if (fs::path(path).filename() == "config.json") {
    auto config = model::ParseHfConfig(bytes, path, "");
    if (!config) return config.error();
    return fmt::format("{}: Hugging Face config\n{}", path, DescribeConfig(config->config));
  }
  auto tokenizer = text::OpenTokenizer(path);
  if (!tokenizer) return tokenizer.error().In("taken for a tokenizer");
  return DescribeTokenizer(path, **tokenizer);
}

Result<std::string> DescribeMetricsFile(const std::string& path) {
  auto metrics = telemetry::ReadMetrics(path);
  if (!metrics) return metrics.error();
  std::string text = fmt::format("{}: metrics, {} events\n", path, metrics->events);
  if (metrics->steps.empty()) return text;
  const auto& [step, last] = *metrics->steps.rbegin();
  text += DescriptionLine("micro-steps", fmt::format("{}, last {} with loss {:.4f}",
                                                     metrics->steps.size(), step, last.loss));
  for (const auto& [at, validation] : metrics->validations) {
    text += DescriptionLine("validation", fmt::format("{:.4f} at {}", validation.val_loss, at));
  }
  return text;
}

bool StartsWithProgram(std::string_view bytes) {
  const size_t first = bytes.find_first_not_of(" \t\r\n");
  return first != std::string_view::npos && bytes.substr(first).starts_with("program");
}

}  // namespace

Result<std::string> DescribeFile(const std::string& path) {
  auto file = MappedFile::Open(path);
  if (!file) return file.error();
  const std::span<const std::byte> raw = (*file)->bytes();
  const std::string_view bytes(reinterpret_cast<const char*>(raw.data()), raw.size());
  const std::string extension = fs::path(path).extension().string();
  if (bytes.empty()) return BadInput("{}: the file is empty", path);
  if (checkpoint::LooksLikeBlzt(raw)) return DescribeBlzt(path);
  if (extension == ".safetensors") return DescribeSafetensors(path);
  if (extension == ".mil" || StartsWithProgram(bytes)) return DescribeMil(path, bytes);
  if (extension == ".jsonl") return DescribeMetricsFile(path);
  if (extension == ".json") return DescribeJson(path, bytes);
  std::error_code ignored;
  if (fs::exists(path + ".json", ignored)) return DescribeShard(path, true);
  if (extension == ".bin") return DescribeBin(path, bytes);
  return BadInput(
      "{}: not a file that info knows: safetensors, BLZT and llama2.c models (.bin), MIL (.mil), "
      "MIL weights (.bin), "
      "token shards (.bin), tokenizers (tokenizer.json, tokenizer.bin), config.json, metrics.jsonl",
      path);
}

}  // namespace millwright::app
