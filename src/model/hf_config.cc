#include "model/hf_config.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace millwright::model {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

std::string_view TorchDtype(DType dtype) {
  if (dtype == DType::kFp16) return "float16";
  if (dtype == DType::kBf16) return "bfloat16";
  return "float32";
}

void AddTokens(const TokenIds& tokens, ordered_json* object) {
  if (tokens.bos) (*object)["bos_token_id"] = *tokens.bos;
  if (!tokens.eos) return;
  std::vector<int64_t> all = {*tokens.eos};
  all.insert(all.end(), tokens.more_eos.begin(), tokens.more_eos.end());
  (*object)["eos_token_id"] = all.size() == 1 ? ordered_json(all.front()) : ordered_json(all);
}

// Reads typed fields of config.json; the first wrong one is remembered.
class Reader {
 public:
  Reader(const json& object, const std::string& where) : object_(object), where_(where) {}

  int64_t Integer(const char* key, std::optional<int64_t> absent = std::nullopt) {
    const json* value = Find(key);
    if (value == nullptr && absent) return *absent;
    if (value == nullptr || !value->is_number_integer()) return Wrong(key, "an integer");
    return value->get<int64_t>();
  }

  double Number(const char* key, double absent) {
    const json* value = Find(key);
    if (value == nullptr) return absent;
    if (!value->is_number()) return static_cast<double>(Wrong(key, "a number"));
    return value->get<double>();
  }

  bool Bool(const char* key, bool absent) {
    const json* value = Find(key);
    if (value == nullptr) return absent;
    if (!value->is_boolean()) return Wrong(key, "true or false") != 0;
    return value->get<bool>();
  }

  // Token ids: one, or a list (Llama 3 has several end tokens); what is neither is left out.
  std::vector<int64_t> Tokens(const char* key) {
    const json* value = Find(key);
    if (value == nullptr) return {};
    std::vector<int64_t> ids;
    for (const json& id : value->is_array() ? *value : json::array({*value})) {
      if (id.is_number_integer()) ids.push_back(id.get<int64_t>());
    }
    return ids;
  }

  void Expect(bool holds, const char* key, const char* expected) {
    if (!holds) Wrong(key, expected);
  }

  // A field that is there and not null.
  const json* Find(const char* key) const {
    const auto found = object_.find(key);
    return found == object_.end() || found->is_null() ? nullptr : &*found;
  }

  const Status& status() const { return status_; }

 private:
  int64_t Wrong(const char* key, const char* expected) {
    if (!status_) return 0;
    const json* value = Find(key);
    status_ = BadInput("{}: {}: expected {}, found {}", where_, key, expected,
                       value == nullptr ? "nothing" : value->dump(-1, ' ', true));
    return 0;
  }

  const json& object_;
  const std::string& where_;
  Status status_;
};

// The first end token is `eos`; each is kept once.
void AddEnds(const std::vector<int64_t>& ids, TokenIds* tokens) {
  for (const int64_t id : ids) {
    std::vector<int64_t>& more = tokens->more_eos;
    if (!tokens->eos) {
      tokens->eos = id;
    } else if (id != *tokens->eos && std::find(more.begin(), more.end(), id) == more.end()) {
      more.push_back(id);
    }
  }
}

enum class Family { kLlama, kQwen3 };

Result<Family> FamilyOf(const json& object, const std::string& where) {
  std::string name;
  const auto architectures = object.find("architectures");
  if (architectures != object.end() && architectures->is_array() && !architectures->empty() &&
      architectures->front().is_string()) {
    name = architectures->front().get<std::string>();
  } else if (object.contains("model_type") && object["model_type"].is_string()) {
    name = object["model_type"].get<std::string>();
  }
  if (name == "LlamaForCausalLM" || name == "llama") return Family::kLlama;
  if (name == "Qwen3ForCausalLM" || name == "qwen3") return Family::kQwen3;
  return BadInput("{}: architectures: expected LlamaForCausalLM or Qwen3ForCausalLM, found {}",
                  where, name.empty() ? "nothing" : json(name).dump(-1, ' ', true));
}

// What other models of these families have and our network has not.
void RefuseVariants(Reader* reader) {
  for (const char* key : {"attention_bias", "mlp_bias", "use_sliding_window"}) {
    reader->Expect(!reader->Bool(key, false), key, "false");
  }
  reader->Expect(reader->Find("quantization_config") == nullptr, "quantization_config",
                 "weights in fp32, fp16 or bf16");
  reader->Expect(reader->Number("partial_rotary_factor", 1.0) == 1.0, "partial_rotary_factor", "1");
  const json* layers = reader->Find("layer_types");
  const auto full = [](const json& type) { return type == "full_attention"; };
  reader->Expect(layers == nullptr || (layers->is_array() && std::ranges::all_of(*layers, full)),
                 "layer_types", "\"full_attention\" throughout");
  const json* activation = reader->Find("hidden_act");
  reader->Expect(activation == nullptr || *activation == "silu", "hidden_act", "\"silu\"");
  for (const char* key : {"rope_scaling", "rope_parameters"}) {
    const json* scaling = reader->Find(key);
    if (scaling == nullptr) continue;
    const json type = scaling->is_object()
                          ? scaling->value("rope_type", scaling->value("type", json("default")))
                          : json();
    const json part =
        scaling->is_object() ? scaling->value("partial_rotary_factor", json(1.0)) : json();
    reader->Expect(type == "default" && part == 1.0, key, "rotary embedding without scaling");
  }
}

// Newer files keep rope_theta in rope_parameters.
double RopeTheta(Reader* reader) {
  constexpr double kDefault = 10000.0;
  const json* parameters = reader->Find("rope_parameters");
  if (parameters == nullptr || !parameters->contains("rope_theta")) {
    return reader->Number("rope_theta", kDefault);
  }
  const json& theta = (*parameters)["rope_theta"];
  reader->Expect(theta.is_number(), "rope_parameters", "a number as rope_theta");
  const json* other = reader->Find("rope_theta");
  reader->Expect(other == nullptr || *other == theta, "rope_theta",
                 "the one of rope_parameters, or none");
  return theta.is_number() ? theta.get<double>() : kDefault;
}

ModelConfig ReadConfig(Family family, Reader* reader) {
  ModelConfig config;
  config.dim = reader->Integer("hidden_size");
  config.hidden_dim = reader->Integer("intermediate_size");
  config.layers = reader->Integer("num_hidden_layers");
  config.heads = reader->Integer("num_attention_heads");
  config.vocab = reader->Integer("vocab_size");
  const bool llama = family == Family::kLlama;
  config.kv_heads = reader->Integer("num_key_value_heads", llama ? config.heads : 32);
  const int64_t head_dim = config.heads > 0 ? config.dim / config.heads : 0;
  config.head_dim = reader->Integer("head_dim", llama ? head_dim : 128);
  config.seq = reader->Integer("max_position_embeddings", llama ? 2048 : 32768);
  config.rope_theta = RopeTheta(reader);
  config.rms_norm_eps = reader->Number("rms_norm_eps", 1e-6);
  config.rotary = RotaryLayout::kHalfSplit;
  config.qk_norm = !llama;
  config.tied_embeddings = reader->Bool("tie_word_embeddings", false);
  return config;
}

}  // namespace

std::string ToHfConfig(const ModelConfig& config, DType dtype, const TokenIds& tokens) {
  ordered_json object;
  object["architectures"] = {config.qk_norm ? "Qwen3ForCausalLM" : "LlamaForCausalLM"};
  object["model_type"] = config.qk_norm ? "qwen3" : "llama";
  object["attention_bias"] = false;
  object["attention_dropout"] = 0.0;
  AddTokens(tokens, &object);
  object["head_dim"] = config.head_dim;
  object["hidden_act"] = "silu";
  object["hidden_size"] = config.dim;
  object["initializer_range"] = 0.02;
  object["intermediate_size"] = config.hidden_dim;
  object["max_position_embeddings"] = config.seq;
  if (!config.qk_norm) object["mlp_bias"] = false;
  object["num_attention_heads"] = config.heads;
  object["num_hidden_layers"] = config.layers;
  object["num_key_value_heads"] = config.kv_heads;
  object["rms_norm_eps"] = config.rms_norm_eps;
  object["rope_scaling"] = nullptr;
  object["rope_theta"] = config.rope_theta;
  object["tie_word_embeddings"] = config.tied_embeddings;
  object["torch_dtype"] = TorchDtype(dtype);
  object["use_cache"] = true;
  object["vocab_size"] = config.vocab;
  return object.dump(2) + "\n";
}

std::string ToHfGenerationConfig(const TokenIds& tokens) {
  ordered_json object;
  object["_from_model_config"] = true;
  AddTokens(tokens, &object);
  return object.dump(2) + "\n";
}

Status AddGenerationTokens(std::string_view text, const std::string& where, TokenIds* tokens) {
  const json object = json::parse(text, nullptr, false);
  if (!object.is_object()) return BadInput("{}: not a JSON object", where);
  AddEnds(Reader(object, where).Tokens("eos_token_id"), tokens);
  return {};
}

Result<HfConfig> ParseHfConfig(std::string_view text, const std::string& where,
                               std::string_view name) {
  const json object = json::parse(text, nullptr, false);
  if (!object.is_object()) return BadInput("{}: not a JSON object", where);
  const auto family = FamilyOf(object, where);
  if (!family) return family.error();
  Reader reader(object, where);
  RefuseVariants(&reader);
  HfConfig out;
  out.config = ReadConfig(*family, &reader);
  out.config.name = name;
  out.config.title = name;
  const std::vector<int64_t> bos = reader.Tokens("bos_token_id");
  if (!bos.empty()) out.tokens.bos = bos.front();
  AddEnds(reader.Tokens("eos_token_id"), &out.tokens);
  if (!reader.status()) return reader.status().error();
  if (auto status = Validate(out.config); !status) return status.error().In(where);
  return out;
}

}  // namespace millwright::model
