// What the files of a byte-level BPE have in common: for byte_bpe_json.cc and byte_bpe_folder.cc.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "text/byte_bpe.h"

namespace millwright::text {

// A field of an object, or null where there is no such object or field.
const nlohmann::json& JsonField(const nlohmann::json& object, const char* key);
bool IsEmptyText(const nlohmann::json& value);

// Parses JSON. Bad input: not valid, or no object.
Result<nlohmann::json> ParseJsonObject(std::string_view text, std::string_view name);

// A vocabulary as files spell it, with what its parts are called in messages.
struct BpeParts {
  struct Added {
    std::string content;
    nlohmann::json id;
  };

  std::string vocab_name, merges_name;
  nlohmann::json vocab;                                     // token in the byte alphabet: id
  std::vector<std::pair<std::string, std::string>> merges;  // two tokens in the byte alphabet
  std::vector<Added> added;                                 // spelled as they are
};

// Appends an added token, as the entries of added_tokens and added_tokens_decoder are. Bad input:
// no content, or an option that changes how it is matched (lstrip, rstrip, single_word; and
// normalized where the text is).
Status ReadAddedToken(const nlohmann::json& entry, const nlohmann::json& id,
                      const std::string& where, bool nfc, std::vector<BpeParts::Added>& added);

// Fills tokens, merges and special of `model`. Bad input: ids that are not 0, 1, ... each once,
// tokens outside the byte alphabet, merges of tokens that are not in the vocabulary.
Status Assemble(const BpeParts& parts, ByteBpeModel& model);

// The id of a special token; nothing if there is none of that text.
std::optional<TokenId> FindSpecial(const ByteBpeModel& model, std::string_view text);

// Sets BOS and EOS to what tokenizer_config.json says of them, where it says anything. Bad input: a
// token that is not among the special ones.
Status ApplyTokenizerConfig(const nlohmann::json& config, ByteBpeModel& model);

}  // namespace millwright::text
