#include "text/byte_bpe_parts.h"

#include <fmt/format.h>

#include <set>

#include "text/byte_alphabet.h"

namespace millwright::text {
namespace {

using nlohmann::json;

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

Status PlaceAdded(const BpeParts& parts, ByteBpeModel& model) {
  for (const auto& token : parts.added) {
    const auto listed = parts.vocab.find(token.content);
    if (listed != parts.vocab.end() && *listed != token.id) {
      return BadInput("added token \"{}\": id {} here, {} in {}", token.content, token.id.dump(),
                      listed->dump(), parts.vocab_name);
    }
    auto status = Place(model.tokens, token.id, token.content, token.content);
    if (!status) return status;
    model.special.push_back(token.id.get<TokenId>());
  }
  return {};
}

Status PlaceVocab(const BpeParts& parts, ByteBpeModel& model) {
  std::set<std::string_view> added;
  for (const auto& token : parts.added) added.insert(token.content);
  for (auto entry = parts.vocab.begin(); entry != parts.vocab.end(); ++entry) {
    const std::string& spelling = entry.key();
    if (added.contains(spelling)) continue;
    auto bytes = FromByteAlphabet(spelling);
    if (!bytes) return BadInput("token \"{}\": not in the byte alphabet", spelling);
    auto status = Place(model.tokens, entry.value(), spelling, std::move(*bytes));
    if (!status) return status;
  }
  return {};
}

}  // namespace

const json& JsonField(const json& object, const char* key) {
  static const json kNull;
  if (!object.is_object()) return kNull;
  const auto found = object.find(key);
  return found == object.end() ? kNull : *found;
}

bool IsEmptyText(const json& value) {
  return value.is_string() && value.get_ref<const std::string&>().empty();
}

Result<json> ParseJsonObject(std::string_view text, std::string_view name) {
  json root = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (root.is_discarded()) return BadInput("{}: not valid JSON", name);
  if (!root.is_object()) {
    return BadInput("{}: expected an object, found {}", name, root.type_name());
  }
  return root;
}

Status ReadAddedToken(const json& entry, const json& id, const std::string& where, bool nfc,
                      std::vector<BpeParts::Added>& added) {
  const json& content = JsonField(entry, "content");
  if (!content.is_string() || IsEmptyText(content))
    return BadInput("{}.content: expected text", where);
  for (const char* key : {"single_word", "lstrip", "rstrip", "normalized"}) {
    if (std::string_view(key) == "normalized" && !nfc) continue;
    const json& flag = JsonField(entry, key);
    if (flag.is_null() || flag == false) continue;
    return BadInput("{}.{}: expected false, found {}", where, key, flag.dump());
  }
  added.push_back({content.get<std::string>(), id});
  return {};
}

Status Assemble(const BpeParts& parts, ByteBpeModel& model) {
  if (!parts.vocab.is_object()) {
    return BadInput("{}: expected an object, found {}", parts.vocab_name, parts.vocab.type_name());
  }
  size_t only_added = 0;
  for (const auto& token : parts.added) only_added += parts.vocab.contains(token.content) ? 0 : 1;
  model.tokens.resize(parts.vocab.size() + only_added);
  auto status = PlaceAdded(parts, model);
  if (status) status = PlaceVocab(parts, model);
  if (!status) return status;
  for (size_t i = 0; i < parts.merges.size(); ++i) {
    const auto& [first, second] = parts.merges[i];
    const auto left = parts.vocab.find(first);
    const auto right = parts.vocab.find(second);
    if (left == parts.vocab.end() || right == parts.vocab.end()) {
      return BadInput("{}[{}]: \"{}\" is not in {}", parts.merges_name, i,
                      left == parts.vocab.end() ? first : second, parts.vocab_name);
    }
    model.merges.emplace_back(left->get<TokenId>(), right->get<TokenId>());
  }
  return {};
}

std::optional<TokenId> FindSpecial(const ByteBpeModel& model, std::string_view text) {
  for (TokenId id : model.special) {
    if (model.tokens[static_cast<size_t>(id)] == text) return id;
  }
  return std::nullopt;
}

Status ApplyTokenizerConfig(const json& config, ByteBpeModel& model) {
  for (const auto& [key, id] : {std::pair("bos_token", &model.bos), {"eos_token", &model.eos}}) {
    if (!config.is_object() || !config.contains(key)) continue;
    const json& entry = config[key];
    *id = std::nullopt;
    if (entry.is_null()) continue;
    const json& content = entry.is_object() ? JsonField(entry, "content") : entry;
    if (!content.is_string()) {
      return BadInput("tokenizer_config.json: {}: expected text, found {}", key, entry.dump());
    }
    *id = FindSpecial(model, content.get<std::string>());
    if (!*id) {
      return BadInput("tokenizer_config.json: {}: \"{}\" is not a special token", key,
                      content.get<std::string>());
    }
  }
  return {};
}

}  // namespace millwright::text
