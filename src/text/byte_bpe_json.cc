// Hugging Face's tokenizer.json, as far as a byte-level BPE needs it. Source: the serialisation of
// the `tokenizers` library.
#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/folder.h"
#include "base/read_file.h"
#include "text/byte_bpe.h"
#include "text/byte_bpe_parts.h"

namespace millwright::text {
namespace {

using nlohmann::json;

std::string TypeOf(const json& object) {
  const json& type = JsonField(object, "type");
  return type.is_string() ? type.get<std::string>() : object.is_null() ? "none" : "unknown";
}

// Fails unless a boolean option is absent or `expected`.
Status CheckFlag(const json& object, const char* key, bool expected, const char* where) {
  const json& flag = JsonField(object, key);
  if (flag.is_null() || (flag.is_boolean() && flag.get<bool>() == expected)) return {};
  return BadInput("{}.{}: expected {}, found {}", where, key, expected, flag.dump());
}

// Fails unless a model option is absent, null or an empty string.
Status CheckUnset(const json& model, const char* key) {
  const json& option = JsonField(model, key);
  if (option.is_null() || IsEmptyText(option)) return {};
  return BadInput("model.{}: expected null, found {}", key, option.dump());
}

Status ReadModelOptions(const json& bpe, ByteBpeModel& model) {
  if (TypeOf(bpe) != "BPE") return BadInput("model.type: expected BPE, found {}", TypeOf(bpe));
  for (const char* key :
       {"dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix"}) {
    if (auto status = CheckUnset(bpe, key); !status) return status;
  }
  const json& ignore_merges = JsonField(bpe, "ignore_merges");
  if (!ignore_merges.is_null() && !ignore_merges.is_boolean()) {
    return BadInput("model.ignore_merges: expected true or false, found {}", ignore_merges.dump());
  }
  model.ignore_merges = ignore_merges == true;
  return CheckFlag(bpe, "byte_fallback", false, "model");
}

Status ReadNormalizer(const json& normalizer, ByteBpeModel& model) {
  model.nfc = TypeOf(normalizer) == "NFC";
  if (model.nfc || normalizer.is_null()) return {};
  return BadInput("normalizer.type: expected none or NFC, found {}", TypeOf(normalizer));
}

Status CheckByteLevel(const json& step, bool use_regex) {
  if (TypeOf(step) != "ByteLevel") {
    return BadInput(
        "pre_tokenizer.type: expected ByteLevel, alone or after one Split in a Sequence, found {}",
        TypeOf(step));
  }
  // ByteLevel's own defaults are a prefix space and its own pattern, so both must be said.
  if (JsonField(step, "add_prefix_space") != false) {
    return BadInput("pre_tokenizer.add_prefix_space: expected false, found {}",
                    JsonField(step, "add_prefix_space").dump());
  }
  if (use_regex) return CheckFlag(step, "use_regex", true, "pre_tokenizer");
  if (JsonField(step, "use_regex") == false) return {};
  return BadInput("pre_tokenizer.use_regex: expected false after a Split, found {}",
                  JsonField(step, "use_regex").dump());
}

Status ReadPreTokenizer(const json& pre, ByteBpeModel& model) {
  const json& steps = JsonField(pre, "pretokenizers");
  if (TypeOf(pre) != "Sequence" || !steps.is_array() || steps.size() != 2) {
    return CheckByteLevel(pre, /*use_regex=*/true);
  }
  const json& split = steps[0];
  const json& pattern = JsonField(JsonField(split, "pattern"), "Regex");
  if (TypeOf(split) != "Split" || !pattern.is_string()) {
    return BadInput("pre_tokenizer[0]: expected a Split by a Regex, found {}", TypeOf(split));
  }
  if (JsonField(split, "behavior") != "Isolated") {
    return BadInput("pre_tokenizer[0].behavior: expected Isolated, found {}",
                    JsonField(split, "behavior").dump());
  }
  if (auto status = CheckFlag(split, "invert", false, "pre_tokenizer[0]"); !status) return status;
  model.pattern = pattern.get<std::string>();
  return CheckByteLevel(steps[1], /*use_regex=*/false);
}

Status ReadAdded(const json& root, bool nfc, BpeParts& parts) {
  const json& list = JsonField(root, "added_tokens");
  if (list.is_null()) return {};
  if (!list.is_array()) {
    return BadInput("added_tokens: expected an array, found {}", list.type_name());
  }
  for (size_t i = 0; i < list.size(); ++i) {
    auto status = ReadAddedToken(list[i], JsonField(list[i], "id"),
                                 fmt::format("added_tokens[{}]", i), nfc, parts.added);
    if (!status) return status;
  }
  return {};
}

// Both spellings of a merge: "a b" and ["a", "b"].
std::optional<std::pair<std::string, std::string>> SplitMerge(const json& merge) {
  if (merge.is_array() && merge.size() == 2 && merge[0].is_string() && merge[1].is_string()) {
    return std::pair(merge[0].get<std::string>(), merge[1].get<std::string>());
  }
  if (!merge.is_string()) return std::nullopt;
  const std::string text = merge.get<std::string>();
  const size_t space = text.find(' ');
  if (space == std::string::npos || text.find(' ', space + 1) != std::string::npos) {
    return std::nullopt;
  }
  return std::pair(text.substr(0, space), text.substr(space + 1));
}

Status ReadMerges(const json& merges, BpeParts& parts) {
  if (!merges.is_array()) {
    return BadInput("model.merges: expected an array, found {}", merges.type_name());
  }
  for (size_t i = 0; i < merges.size(); ++i) {
    auto pair = SplitMerge(merges[i]);
    if (!pair) {
      return BadInput("model.merges[{}]: expected two tokens, found {}", i, merges[i].dump());
    }
    parts.merges.push_back(*std::move(pair));
  }
  return {};
}

// What the template of the post-processor puts before a text; nothing if there is none.
std::string TemplateBos(const json& root) {
  const json* post = &JsonField(root, "post_processor");
  const json& processors = JsonField(*post, "processors");
  if (TypeOf(*post) == "Sequence" && processors.is_array()) {
    for (const json& step : processors) {
      if (TypeOf(step) == "TemplateProcessing") post = &step;
    }
  }
  const json& single = JsonField(*post, "single");
  if (!single.is_array() || single.empty()) return {};
  const json& id = JsonField(JsonField(single[0], "SpecialToken"), "id");
  return id.is_string() ? id.get<std::string>() : std::string();
}

// BOS and EOS where no tokenizer_config.json says them.
void GuessEnds(const json& root, ByteBpeModel& model) {
  for (const char* name : {"<|endoftext|>", "<|end_of_text|>"}) {
    if (!model.eos) model.eos = FindSpecial(model, name);
  }
  model.bos = FindSpecial(model, TemplateBos(root));
  if (!model.bos && model.pattern == kGpt2Pattern) model.bos = FindSpecial(model, kEndOfText);
}

Result<ByteBpe> Read(const json& root, const json& config) {
  const json& bpe = JsonField(root, "model");
  ByteBpeModel model;
  auto status = ReadModelOptions(bpe, model);
  if (status) status = ReadNormalizer(JsonField(root, "normalizer"), model);
  if (status) status = ReadPreTokenizer(JsonField(root, "pre_tokenizer"), model);
  BpeParts parts = {.vocab_name = "model.vocab", .merges_name = "model.merges"};
  parts.vocab = JsonField(bpe, "vocab");
  if (status) status = ReadAdded(root, model.nfc, parts);
  if (status) status = ReadMerges(JsonField(bpe, "merges"), parts);
  if (status) status = Assemble(parts, model);
  if (!status) return status.error();
  GuessEnds(root, model);
  if (status = ApplyTokenizerConfig(config, model); !status) return status.error();
  return ByteBpe::Create(std::move(model));
}

}  // namespace

Result<ByteBpe> ByteBpe::FromJson(std::string_view text, std::string_view name,
                                  std::string_view config_text) {
  const auto root = ParseJsonObject(text, name);
  if (!root) return root.error();
  json config;
  if (!config_text.empty()) {
    auto parsed = ParseJsonObject(config_text, "tokenizer_config.json");
    if (!parsed) return parsed.error().In(name);
    config = *std::move(parsed);
  }
  auto bpe = Read(*root, config);
  if (!bpe) return bpe.error().In(name);
  return bpe;
}

Result<ByteBpe> ByteBpe::Open(const std::string& path) {
  auto file = ReadFile(path);
  if (!file) return file.error();
  const auto beside = std::filesystem::path(path).parent_path() / "tokenizer_config.json";
  std::string config;
  if (Exists(beside)) {
    auto text = ReadFile(beside.string());
    if (!text) return text.error();
    config = *std::move(text);
  }
  return FromJson(*file, path, config);
}

}  // namespace millwright::text
