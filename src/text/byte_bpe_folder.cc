// A byte-level BPE in GPT-2's files: vocab.json and merges.txt, with what transformers writes
// beside them.
#include <algorithm>
#include <charconv>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/folder.h"
#include "base/read_file.h"
#include "text/byte_bpe.h"
#include "text/byte_bpe_parts.h"

namespace millwright::text {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

// A JSON object of the folder; null where there is no such file.
Result<json> ReadOptional(const fs::path& folder, const char* name) {
  if (!Exists(folder / name)) return json();
  const auto text = ReadFile((folder / name).string());
  if (!text) return text.error();
  return ParseJsonObject(*text, (folder / name).string());
}

// A merge a line, best first, after an optional "#version" line.
Status ReadMergeLines(std::string_view text, BpeParts& parts) {
  for (size_t number = 1; !text.empty(); ++number) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty() || (number == 1 && line.starts_with("#version"))) continue;
    const size_t space = line.find(' ');
    if (space == line.npos || space == 0 || space + 1 == line.size() ||
        line.find(' ', space + 1) != line.npos) {
      return BadInput("merges.txt: line {}: expected two tokens, found \"{}\"", number, line);
    }
    parts.merges.emplace_back(line.substr(0, space), line.substr(space + 1));
  }
  return {};
}

// added_tokens.json: {"content": id}.
void ReadAddedTokens(const json& file, BpeParts& parts) {
  if (!file.is_object()) return;
  for (auto entry = file.begin(); entry != file.end(); ++entry) {
    parts.added.push_back({entry.key(), entry.value()});
  }
}

// tokenizer_config.json: "added_tokens_decoder": {"id": {"content", ...}}. A token that
// added_tokens.json has, too, must have the same id there.
Status ReadDecoder(const json& decoder, bool nfc, BpeParts& parts) {
  if (decoder.is_null()) return {};
  if (!decoder.is_object()) {
    return BadInput("added_tokens_decoder: expected an object, found {}", decoder.type_name());
  }
  for (auto entry = decoder.begin(); entry != decoder.end(); ++entry) {
    const std::string where = "added_tokens_decoder[" + entry.key() + "]";
    int64_t id = -1;
    const char* end = entry.key().data() + entry.key().size();
    if (std::from_chars(entry.key().data(), end, id).ptr != end) {
      return BadInput("{}: expected an id", where);
    }
    std::vector<BpeParts::Added> token;
    auto status = ReadAddedToken(entry.value(), id, where, nfc, token);
    if (!status) return status;
    const auto known = std::find_if(
        parts.added.begin(), parts.added.end(),
        [&](const BpeParts::Added& other) { return other.content == token.front().content; });
    if (known == parts.added.end()) {
      parts.added.push_back(token.front());
    } else if (known->id != token.front().id) {
      return BadInput("{}: \"{}\" has id {} elsewhere", where, known->content, known->id.dump());
    }
  }
  return {};
}

// Whether the tokenizer is Qwen's (else GPT-2's), which differ in their pattern and normalization
// and do not say them in these files: by tokenizer_config.json's class, by config.json's model
// type, or else by <|endoftext|>, which GPT-2 has in vocab.json and Qwen has not.
Result<bool> IsQwen(const json& tokenizer_config, const json& config, const json& vocab) {
  const json& named = JsonField(tokenizer_config, "tokenizer_class");
  if (named == "Qwen2Tokenizer" || named == "Qwen2TokenizerFast") return true;
  if (named == "GPT2Tokenizer" || named == "GPT2TokenizerFast") return false;
  if (!named.is_null() && named != "PreTrainedTokenizerFast") {
    return BadInput(
        "tokenizer_config.json: tokenizer_class: expected Qwen2Tokenizer or GPT2Tokenizer, found "
        "{}",
        named.dump());
  }
  const json& type = JsonField(config, "model_type");
  if (type.is_string() && type.get<std::string>().starts_with("qwen")) return true;
  if (type == "gpt2") return false;
  return !vocab.contains(kEndOfText);
}

struct FolderFiles {
  json vocab, added, tokenizer_config, config;
  std::string merges;
};

Result<FolderFiles> ReadFiles(const fs::path& folder) {
  FolderFiles files;
  const std::pair<const char*, json*> objects[] = {
      {"vocab.json", &files.vocab},
      {"added_tokens.json", &files.added},
      {"tokenizer_config.json", &files.tokenizer_config},
      {"config.json", &files.config}};
  for (const auto& [name, object] : objects) {
    auto file = ReadOptional(folder, name);
    if (!file) return file.error();
    *object = *std::move(file);
  }
  auto merges = ReadFile((folder / "merges.txt").string());
  if (!merges) return merges.error();
  files.merges = *std::move(merges);
  return files;
}

Result<ByteBpeModel> ReadModel(FolderFiles files) {
  BpeParts parts = {.vocab_name = "vocab.json", .merges_name = "merges.txt"};
  parts.vocab = std::move(files.vocab);
  const auto qwen = IsQwen(files.tokenizer_config, files.config, parts.vocab);
  if (!qwen) return qwen.error();
  ByteBpeModel model;
  model.nfc = *qwen;
  model.pattern = *qwen ? kQwenPattern : kGpt2Pattern;
  ReadAddedTokens(files.added, parts);
  // GPT-2 says of none of its tokens that it is special.
  if (parts.added.empty() && parts.vocab.contains(kEndOfText)) {
    parts.added.push_back({std::string(kEndOfText), parts.vocab[std::string(kEndOfText)]});
  }
  auto status =
      ReadDecoder(JsonField(files.tokenizer_config, "added_tokens_decoder"), model.nfc, parts);
  if (status) status = ReadMergeLines(files.merges, parts);
  if (status) status = Assemble(parts, model);
  if (!status) return status.error();
  model.eos = FindSpecial(model, kEndOfText);
  if (!*qwen) model.bos = model.eos;
  status = ApplyTokenizerConfig(files.tokenizer_config, model);
  if (!status) return status.error();
  return model;
}

}  // namespace

Result<ByteBpe> ByteBpe::OpenFolder(const std::string& folder) {
  auto files = ReadFiles(folder);
  if (!files) return files.error();
  auto model = ReadModel(*std::move(files));
  if (!model) return model.error().In(folder);
  auto bpe = Create(*std::move(model));
  if (!bpe) return bpe.error().In(folder);
  return bpe;
}

}  // namespace millwright::text
