// A byte-level BPE as Hugging Face's tokenizer.json. Source: the serialisation of the `tokenizers`
// library.
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/atomic_file.h"
#include "text/byte_alphabet.h"
#include "text/byte_bpe.h"

namespace millwright::text {
namespace {

using nlohmann::json;

json ByteLevel(bool use_regex) {
  return {{"type", "ByteLevel"},
          {"add_prefix_space", false},
          {"trim_offsets", true},
          {"use_regex", use_regex}};
}

json PreTokenizerJson(const std::string& pattern) {
  if (pattern == kGpt2Pattern) return ByteLevel(true);
  const json split = {{"type", "Split"},
                      {"pattern", {{"Regex", pattern}}},
                      {"behavior", "Isolated"},
                      {"invert", false}};
  return {{"type", "Sequence"}, {"pretokenizers", json::array({split, ByteLevel(false)})}};
}

}  // namespace

std::string ByteBpe::ToJson() const {
  json added = json::array();
  std::vector<std::string> spelling;
  spelling.reserve(model_.tokens.size());
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
                     {"normalizer", model_.nfc ? json{{"type", "NFC"}} : json()},
                     {"pre_tokenizer", PreTokenizerJson(model_.pattern)},
                     {"post_processor", nullptr},
                     {"decoder", ByteLevel(true)},
                     {"model",
                      {{"type", "BPE"},
                       {"dropout", nullptr},
                       {"unk_token", nullptr},
                       {"continuing_subword_prefix", nullptr},
                       {"end_of_word_suffix", nullptr},
                       {"fuse_unk", false},
                       {"byte_fallback", false},
                       {"ignore_merges", model_.ignore_merges},
                       {"vocab", std::move(vocab)},
                       {"merges", std::move(merges)}}}};
  return root.dump(1, ' ', false, json::error_handler_t::replace) + "\n";
}

Status ByteBpe::Save(const std::string& folder) const {
  const std::filesystem::path path(folder);
  json config = {{"tokenizer_class", "PreTrainedTokenizerFast"},
                 {"bos_token", nullptr},
                 {"eos_token", nullptr}};
  if (model_.bos) config["bos_token"] = Piece(*model_.bos);
  if (model_.eos) config["eos_token"] = Piece(*model_.eos);
  auto status = WriteFileAtomically((path / "tokenizer.json").string(), ToJson());
  if (!status) return status;
  return WriteFileAtomically((path / "tokenizer_config.json").string(),
                             config.dump(2, ' ', false, json::error_handler_t::replace) + "\n");
}

}  // namespace millwright::text
