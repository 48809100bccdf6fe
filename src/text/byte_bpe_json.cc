// Hugging Face's tokenizer.json, as far as a byte-level BPE needs it. Source: the serialisation of
// the `tokenizers` library.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/atomic_file.h"
#include "base/mapped_file.h"
#include "text/byte_alphabet.h"
#include "text/byte_bpe.h"

namespace millwright::text {
namespace {

using nlohmann::json;

// A field of an object, or null where there is no such object or field.
const json& Field(const json& object, const char* key) {
  static const json kNull;
  if (!object.is_object()) return kNull;
  const auto found = object.find(key);
  return found == object.end() ? kNull : *found;
}

std::string TypeOf(const json& object) {
  const json& type = Field(object, "type");
  return type.is_string() ? type.get<std::string>() : object.is_null() ? "none" : "unknown";
}

// Fails unless a boolean option is absent or `expected`.
Status CheckFlag(const json& object, const char* key, bool expected, const char* where) {
  const json& flag = Field(object, key);
  if (flag.is_null() || (flag.is_boolean() && flag.get<bool>() == expected)) return {};
  return BadInput("{}.{}: expected {}, found {}", where, key, expected, flag.dump());
}

// Fails unless a model option is absent, null or an empty string.
Status CheckUnset(const json& model, const char* key) {
  const json& option = Field(model, key);
  if (option.is_null() || option == "") return {};
  return BadInput("model.{}: expected null, found {}", key, option.dump());
}

Status CheckKind(const json& root) {
  const json& model = Field(root, "model");
  if (TypeOf(model) != "BPE") {
    return BadInput("model.type: expected BPE, found {}", TypeOf(model));
  }
  const json& pre = Field(root, "pre_tokenizer");
  if (TypeOf(pre) != "ByteLevel") {
    return BadInput("pre_tokenizer.type: expected ByteLevel (as GPT-2's), found {}", TypeOf(pre));
  }
  if (!Field(root, "normalizer").is_null()) {
    return BadInput("normalizer.type: expected none, found {}", TypeOf(Field(root, "normalizer")));
  }
  // ByteLevel's own default is a prefix space, so it must be said that there is none.
  if (Field(pre, "add_prefix_space") != false) {
    return BadInput("pre_tokenizer.add_prefix_space: expected false, found {}",
                    Field(pre, "add_prefix_space").dump());
  }
  if (auto status = CheckFlag(pre, "use_regex", true, "pre_tokenizer"); !status) return status;
  for (const char* key : {"byte_fallback", "ignore_merges"}) {
    if (auto status = CheckFlag(model, key, false, "model"); !status) return status;
  }
  for (const char* key :
       {"dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix"}) {
    if (auto status = CheckUnset(model, key); !status) return status;
  }
  return {};
}

// One token by id; ids must come out as 0, 1, ... with each taken once.
Status Place(std::vector<std::string>& tokens, const json& id, std::string_view spelling,
             std::string bytes) {
  if (!id.is_number_integer() || id < 0 || id >= tokens.size()) {
    return BadInput("token \"{}\": expected an id in [0, {}), found {}", spelling, tokens.size(),
                    id.dump());
  }
  std::string& place = tokens[id.get<size_t>()];
  if (!place.empty()) return BadInput("token \"{}\": id {} is taken", spelling, id.dump());
  if (bytes.empty()) return BadInput("token with id {} is empty", id.dump());
  place = std::move(bytes);
  return {};
}

struct AddedToken {
  std::string content;
  json id;
};

Result<std::vector<AddedToken>> ReadAdded(const json& root) {
  const json& list = Field(root, "added_tokens");
  std::vector<AddedToken> added;
  if (list.is_null()) return added;
  if (!list.is_array())
    return BadInput("added_tokens: expected an array, found {}", list.type_name());
  for (const json& entry : list) {
    const std::string where = fmt::format("added_tokens[{}]", added.size());
    const json& content = Field(entry, "content");
    if (!content.is_string() || content == "") return BadInput("{}.content: expected text", where);
    for (const char* key : {"single_word", "lstrip", "rstrip"}) {
      if (auto status = CheckFlag(entry, key, false, where.c_str()); !status) return status.error();
    }
    added.push_back({content.get<std::string>(), Field(entry, "id")});
  }
  return added;
}

Status ReadTokens(const json& root, ByteBpeModel& model) {
  const json& vocab = Field(Field(root, "model"), "vocab");
  if (!vocab.is_object())
    return BadInput("model.vocab: expected an object, found {}", vocab.type_name());
  auto added = ReadAdded(root);
  if (!added) return added.error();
  size_t only_added = 0;
  for (const auto& token : *added) only_added += vocab.contains(token.content) ? 0 : 1;
  model.tokens.resize(vocab.size() + only_added);
  for (const auto& token : *added) {
    const auto listed = vocab.find(token.content);
    if (listed != vocab.end() && *listed != token.id) {
      return BadInput("added token \"{}\": id {} here, {} in model.vocab", token.content,
                      token.id.dump(), listed->dump());
    }
    auto status = Place(model.tokens, token.id, token.content, token.content);
    if (!status) return status;
    model.special.push_back(token.id.get<TokenId>());
  }
  for (auto entry = vocab.begin(); entry != vocab.end(); ++entry) {
    const std::string& spelling = entry.key();
    const bool is_added = std::any_of(added->begin(), added->end(), [&](const AddedToken& token) {
      return token.content == spelling;
    });
    if (is_added) continue;
    auto bytes = FromByteAlphabet(spelling);
    if (!bytes) return BadInput("token \"{}\": not in the byte alphabet", spelling);
    auto status = Place(model.tokens, entry.value(), spelling, std::move(*bytes));
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

Status ReadMerges(const json& root, ByteBpeModel& model) {
  const json& bpe = Field(root, "model");
  const json& vocab = Field(bpe, "vocab");
  const json& merges = Field(bpe, "merges");
  if (!merges.is_array())
    return BadInput("model.merges: expected an array, found {}", merges.type_name());
  for (size_t i = 0; i < merges.size(); ++i) {
    const auto pair = SplitMerge(merges[i]);
    if (!pair)
      return BadInput("model.merges[{}]: expected two tokens, found {}", i, merges[i].dump());
    const auto left = vocab.find(pair->first);
    const auto right = vocab.find(pair->second);
    if (left == vocab.end() || right == vocab.end()) {
      return BadInput("model.merges[{}]: \"{}\" is not in model.vocab", i,
                      left == vocab.end() ? pair->first : pair->second);
    }
    model.merges.emplace_back(left->get<TokenId>(), right->get<TokenId>());
  }
  return {};
}

Result<ByteBpe> Read(const json& root) {
  if (auto status = CheckKind(root); !status) return status.error();
  ByteBpeModel model;
  if (auto status = ReadTokens(root, model); !status) return status.error();
  if (auto status = ReadMerges(root, model); !status) return status.error();
  return ByteBpe::Create(std::move(model));
}

json ByteLevel() {
  return {{"type", "ByteLevel"},
          {"add_prefix_space", false},
          {"trim_offsets", true},
          {"use_regex", true}};
}

}  // namespace

Result<ByteBpe> ByteBpe::FromJson(std::string_view text, std::string_view name) {
  const json root = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (root.is_discarded()) return BadInput("{}: not valid JSON", name);
  if (!root.is_object())
    return BadInput("{}: expected an object, found {}", name, root.type_name());
  auto bpe = Read(root);
  if (!bpe) return bpe.error().In(name);
  return bpe;
}

Result<ByteBpe> ByteBpe::Open(const std::string& path) {
  auto file = MappedFile::Open(path);
  if (!file) return file.error();
  const auto bytes = (*file)->bytes();
  return FromJson({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, path);
}

std::string ByteBpe::ToJson() const {
  json added = json::array();
  std::vector<std::string> spelling;
  for (const auto& token : model_.tokens) spelling.push_back(ToByteAlphabet(token));
  for (TokenId id : model_.special) {
    spelling[static_cast<size_t>(id)] = model_.tokens[static_cast<size_t>(id)];
    added.push_back({{"id", id},
                     {"content", spelling[static_cast<size_t>(id)]},
                     {"single_word", false},
                     {"lstrip", false},
                     {"rstrip", false},
                     {"normalized", false},
                     {"special", true}});
  }
  json vocab = json::object();
  for (size_t id = 0; id < spelling.size(); ++id) vocab[spelling[id]] = id;
  json merges = json::array();
  for (const auto& [left, right] : model_.merges) {
    merges.push_back(spelling[static_cast<size_t>(left)] + " " +
                     spelling[static_cast<size_t>(right)]);
  }
  const json root = {{"version", "1.0"},
                     {"truncation", nullptr},
                     {"padding", nullptr},
                     {"added_tokens", std::move(added)},
                     {"normalizer", nullptr},
                     {"pre_tokenizer", ByteLevel()},
                     {"post_processor", nullptr},
                     {"decoder", ByteLevel()},
                     {"model",
                      {{"type", "BPE"},
                       {"dropout", nullptr},
                       {"unk_token", nullptr},
                       {"continuing_subword_prefix", nullptr},
                       {"end_of_word_suffix", nullptr},
                       {"fuse_unk", false},
                       {"byte_fallback", false},
                       {"ignore_merges", false},
                       {"vocab", std::move(vocab)},
                       {"merges", std::move(merges)}}}};
  return root.dump(1, ' ', false, json::error_handler_t::replace) + "\n";
}

Status ByteBpe::Save(const std::string& folder) const {
  return WriteFileAtomically((std::filesystem::path(folder) / "tokenizer.json").string(), ToJson());
}

}  // namespace millwright::text
