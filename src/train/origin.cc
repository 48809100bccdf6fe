#include "train/origin.h"

#include <algorithm>
#include <limits>

namespace millwright::train {
namespace {

using nlohmann::json;

constexpr int64_t kMaxContext = std::numeric_limits<int32_t>::max();  // positions are int32

Error Wrong(const char* key, const json& value, const char* expected) {
  return BadInput("{}: expected {}, found {}", key, expected, value.dump(-1, ' ', true));
}

std::optional<int64_t> TokenOf(const json& value) {
  return value.is_number_integer() ? std::optional(value.get<int64_t>()) : std::nullopt;
}

Status ReadTokens(const json& meta, model::TokenIds& tokens) {
  tokens.bos = TokenOf(meta.value("bos", json()));
  tokens.eos = TokenOf(meta.value("eos", json()));
  const json more = meta.value("more_eos", json::array());
  if (!more.is_array()) return Wrong("more_eos", more, "a list of tokens");
  for (const json& id : more) {
    if (!id.is_number_integer()) return Wrong("more_eos", id, "a token");
    tokens.more_eos.push_back(id.get<int64_t>());
  }
  return {};
}

Status ReadDTypes(const json& meta, std::map<std::string, DType>& dtypes) {
  const json others = meta.value("other_dtypes", json::object());
  if (!others.is_object()) return Wrong("other_dtypes", others, "an object");
  for (const auto& [tensor, name] : others.items()) {
    const auto dtype =
        name.is_string() ? ExportDTypeFromName(name.get<std::string>()) : std::nullopt;
    if (!dtype) return Wrong("other_dtypes", name, "fp32, bf16 or fp16");
    dtypes[tensor] = *dtype;
  }
  return {};
}

}  // namespace

void AddToMeta(const Origin& origin, json& meta) {
  meta["base"] = origin.base;
  meta["context"] = origin.context;
  meta["bos"] = origin.tokens.bos ? json(*origin.tokens.bos) : json();
  meta["eos"] = origin.tokens.eos ? json(*origin.tokens.eos) : json();
  meta["more_eos"] = origin.tokens.more_eos;
  meta["repeat_tied_classifier"] = origin.repeat_tied_classifier;
  json others = json::object();
  for (const auto& [tensor, dtype] : origin.other_dtypes) {
    others[tensor] = std::string(DTypeName(dtype));
  }
  meta["other_dtypes"] = std::move(others);
}

Result<Origin> OriginFromMeta(const json& meta) {
  Origin origin;
  const json base = meta.value("base", json("")), context = meta.value("context", json(0)),
             repeat = meta.value("repeat_tied_classifier", json(false));
  if (!base.is_string()) return Wrong("base", base, "a text");
  if (!context.is_number_integer() || context < 0 || context > kMaxContext) {
    return Wrong("context", context, "a number of positions");
  }
  if (!repeat.is_boolean()) return Wrong("repeat_tied_classifier", repeat, "true or false");
  origin.base = base.get<std::string>();
  origin.context = context.get<int64_t>();
  origin.repeat_tied_classifier = repeat.get<bool>();
  if (auto status = ReadTokens(meta, origin.tokens); !status) return status.error();
  if (auto status = ReadDTypes(meta, origin.other_dtypes); !status) return status.error();
  return origin;
}

void FillAbsent(const model::TokenIds& other, model::TokenIds& tokens) {
  if (!tokens.bos) tokens.bos = other.bos;
  if (tokens.eos) return;
  tokens.eos = other.eos;
  tokens.more_eos = other.more_eos;
}

model::ModelConfig ExportConfig(const model::ModelConfig& config, const Origin& origin) {
  model::ModelConfig exported = config;
  exported.seq = std::max(config.seq, origin.context);
  return exported;
}

checkpoint::HfExport ExportOptions(const TrainOptions& options, const Origin& origin) {
  return {.dtype = options.export_dtype,
          .other_dtypes = origin.other_dtypes,
          .residual_alpha = options.residual_alpha,
          .tokens = origin.tokens,
          .extra_files = {},
          .repeat_tied_classifier = origin.repeat_tied_classifier};
}

}  // namespace millwright::train
