#include "train/options.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <sstream>

#include "train/freeze.h"

namespace millwright::train {
namespace {

using nlohmann::json;

// Field by field, in one list that writing, reading and comparing share. Visit is called with the
// field's name and a reference to it.
template <class Options, class Visit>
void ForEachField(Options& o, const Visit& visit) {
  visit("data", o.data);
  visit("val", o.val);
  visit("tokenizer", o.tokenizer);
  visit("split", o.split);
  visit("text-field", o.text_field);
  visit("steps", o.steps);
  visit("lr", o.lr);
  visit("accum", o.accum);
  visit("warmup", o.warmup);
  visit("clip", o.clip);
  visit("seed", o.seed);
  visit("loss-scale", o.loss_scale);
  visit("dynamic-loss-scale", o.dynamic_loss_scale);
  visit("weight-decay", o.weight_decay);
  visit("beta1", o.beta1);
  visit("beta2", o.beta2);
  visit("act-clip", o.act_clip);
  visit("residual-alpha", o.residual_alpha);
  visit("val-every", o.val_every);
  visit("val-windows", o.val_windows);
  visit("save-every", o.save_every);
  visit("tensor-stats-every", o.tensor_stats_every);
  visit("sample-every", o.sample_every);
  visit("sample-prompt", o.sample_prompt);
  visit("tensorboard", o.tensorboard);
  visit("batch", o.batch);
  visit("moments", o.moments);
  visit("recompute", o.recompute);
  visit("device", o.device);
  visit("precision", o.precision);
  visit("ane-rules", o.ane_rules);
  visit("offload", o.offload);
  visit("threads", o.threads);
}

template <class Config, class Visit>
void ForEachConfigField(Config& c, const Visit& visit) {
  visit("dim", c.dim);
  visit("hidden_dim", c.hidden_dim);
  visit("layers", c.layers);
  visit("heads", c.heads);
  visit("kv_heads", c.kv_heads);
  visit("head_dim", c.head_dim);
  visit("seq", c.seq);
  visit("vocab", c.vocab);
  visit("rope_theta", c.rope_theta);
  visit("rms_norm_eps", c.rms_norm_eps);
  visit("qk_norm", c.qk_norm);
  visit("tied_embeddings", c.tied_embeddings);
}

template <class T>
bool ReadField(const json& from, const char* name, T& to) {
  const auto it = from.find(name);
  if (it == from.end()) return false;
  if constexpr (std::is_same_v<T, std::string>) {
    if (!it->is_string()) return false;
  } else if constexpr (std::is_same_v<T, bool>) {
    if (!it->is_boolean()) return false;
  } else {
    if (!it->is_number()) return false;
  }
  to = it->template get<T>();
  return true;
}

// What watching a run needs and training does not.
bool IsShown(std::string_view name) {
  return name == "tensor-stats-every" || name == "sample-every" || name == "sample-prompt" ||
         name == "tensorboard";
}

// Settings that do not change the computation.
bool IsFree(std::string_view name) {
  static constexpr std::string_view kFree[] = {"save-every", "val-every", "val-windows",
                                               "export-dtype", "recompute"};
  return IsShown(name) || std::find(std::begin(kFree), std::end(kFree), name) != std::end(kFree);
}

// Patterns of tensor names hold no spaces, so one text holds them all.
std::string Joined(const std::vector<std::string>& words) {
  return fmt::format("{}", fmt::join(words, " "));
}

std::vector<std::string> Words(const std::string& text) {
  std::istringstream stream(text);
  return {std::istream_iterator<std::string>(stream), {}};
}

// Settings that not every run has: absent is the default.
Status ReadFineTuning(const json& from, TrainOptions& options) {
  std::string freeze, dtype(DTypeName(options.export_dtype));
  for (auto [name, text] : {std::pair{"freeze", &freeze}, {"export-dtype", &dtype}}) {
    if (from.contains(name) && !ReadField(from, name, *text)) {
      return BadInput("settings: {} is of another type", name);
    }
  }
  options.freeze = Words(freeze);
  std::string targets;
  for (const bool bad :
       {from.contains("lora-rank") && !ReadField(from, "lora-rank", options.lora.rank),
        from.contains("lora-alpha") && !ReadField(from, "lora-alpha", options.lora.alpha),
        from.contains("lora-targets") && !ReadField(from, "lora-targets", targets)}) {
    if (bad) return BadInput("settings: lora is of another type");
  }
  if (options.lora.enabled()) {
    auto parsed = model::ParseLoraTargets(targets);
    if (!parsed) return parsed.error().In("settings: lora-targets");
    options.lora.targets = std::move(*parsed);
  }
  const auto known = ExportDTypeFromName(dtype);
  if (!known) return BadInput("settings: unknown export-dtype {}", dtype);
  options.export_dtype = *known;
  return {};
}

// Adapters stand beside weights that are frozen as a whole, and are exported beside them.
Status ValidateLora(const TrainOptions& o) {
  auto valid = model::Validate(o.lora, o.config);
  if (!valid) return valid;
  if (!o.freeze.empty()) {
    return BadInput("--freeze '{}': with --lora-rank everything but the adapters is frozen",
                    o.freeze.front());
  }
  if (o.residual_alpha != 1.0) {
    return BadInput(
        "--residual-alpha {}: adapters cannot be told from it on export; leave it out "
        "with --lora-rank",
        o.residual_alpha);
  }
  return {};
}

// Where the tokens come from; that they are the same is checked by their hash.
bool IsDataSource(std::string_view name) {
  static constexpr std::string_view kSources[] = {"data", "val", "tokenizer", "split",
                                                  "text-field"};
  return std::find(std::begin(kSources), std::end(kSources), name) != std::end(kSources);
}

// States of the first version do not say these.
bool IsLaterSetting(std::string_view name) {
  return name == "tokenizer" || name == "split" || name == "text-field" || name == "moments" ||
         name == "recompute" || name == "dynamic-loss-scale" || name == "ane-rules" ||
         name == "offload" || name == "beta1" || name == "beta2" || IsShown(name);
}

Status RequirePositive(std::initializer_list<std::pair<const char*, double>> values) {
  for (const auto& [name, value] : values) {
    if (std::isfinite(value) && value > 0) continue;
    return BadInput("--{}: {} is not a positive number", name, value);
  }
  return {};
}

}  // namespace

std::optional<kernels::Binding> BindingFromName(std::string_view name) {
  for (auto binding :
       {kernels::Binding::kPacked, kernels::Binding::kConstant, kernels::Binding::kSeparate}) {
    if (kernels::BindingName(binding) == name) return binding;
  }
  return std::nullopt;
}

std::optional<DType> ExportDTypeFromName(std::string_view name) {
  for (DType dtype : {DType::kFp32, DType::kBf16, DType::kFp16}) {
    if (DTypeName(dtype) == name) return dtype;
  }
  return std::nullopt;
}

std::vector<std::string> FrozenPatterns(const TrainOptions& options) {
  return options.lora.enabled() ? std::vector<std::string>{"*"} : options.freeze;
}

Status Validate(const TrainOptions& o) {
  auto positive = RequirePositive({{"seq", static_cast<double>(o.config.seq)},
                                   {"steps", static_cast<double>(o.steps)},
                                   {"lr", o.lr},
                                   {"accum", static_cast<double>(o.accum)},
                                   {"batch", static_cast<double>(o.batch)},
                                   {"save-every", static_cast<double>(o.save_every)},
                                   {"val-every", static_cast<double>(o.val_every)},
                                   {"val-windows", static_cast<double>(o.val_windows)},
                                   {"residual-alpha", o.residual_alpha}});
  if (!positive) return positive;
  auto config = model::Validate(o.config);
  if (!config) return config;
  const std::pair<const char*, double> not_negative[] = {
      {"warmup", static_cast<double>(o.warmup)},
      {"clip", o.clip},
      {"loss-scale", o.loss_scale},
      {"weight-decay", o.weight_decay},
      {"act-clip", o.act_clip},
      {"tensor-stats-every", static_cast<double>(o.tensor_stats_every)},
      {"sample-every", static_cast<double>(o.sample_every)},
      {"threads", static_cast<double>(o.threads)}};
  for (const auto& [name, value] : not_negative) {
    if (std::isfinite(value) && value >= 0) continue;
    return BadInput("--{}: expected 0 or a positive number, found {}", name, value);
  }
  for (const auto& [name, value] : {std::pair{"beta1", o.beta1}, {"beta2", o.beta2}}) {
    if (value >= 0 && value < 1) continue;
    return BadInput("--{}: expected a number from 0 to below 1, found {}", name, value);
  }
  if (o.moments != "fp32" && o.moments != "bf16") {
    return BadInput("--moments {}: expected fp32 or bf16", o.moments);
  }
  // Nearer to 1 the second moment's steps are less than half a unit of bf16 (docs/design-notes.md).
  if (o.moments == "bf16" && o.beta2 > 0.99) {
    return BadInput("--moments bf16: expected --beta2 of 0.99 at most, found {}", o.beta2);
  }
  if (const auto offload = kernels::ParseOffload(o.offload); !offload) {
    return offload.error().In("--offload");
  }
  return o.lora.enabled() ? ValidateLora(o) : CheckFreeze(o.freeze, o.config);
}

json ToJson(const model::ModelConfig& config) {
  json result;
  ForEachConfigField(config, [&](const char* name, const auto& field) { result[name] = field; });
  result["name"] = std::string(config.name);
  result["title"] = std::string(config.title);
  result["rotary"] =
      config.rotary == model::RotaryLayout::kHalfSplit ? "half_split" : "interleaved";
  return result;
}

json ToJson(const TrainOptions& options) {
  json result;
  ForEachField(options, [&](const char* name, const auto& field) { result[name] = field; });
  result["vocab"] = std::string(data::VocabModeName(options.vocab));
  result["binding"] = std::string(kernels::BindingName(options.binding));
  result["config"] = ToJson(options.config);
  result["lora-rank"] = options.lora.rank;
  result["lora-alpha"] = options.lora.alpha;
  result["lora-targets"] = model::LoraTargetNames(options.lora);
  result["freeze"] = Joined(options.freeze);
  result["export-dtype"] = std::string(DTypeName(options.export_dtype));
  return result;
}

Result<model::ModelConfig> ConfigFromJson(const json& from) {
  if (!from.is_object()) return BadInput("config: expected an object");
  model::ModelConfig config;
  std::string missing;
  ForEachConfigField(config, [&](const char* name, auto& field) {
    if (!ReadField(from, name, field) && missing.empty()) missing = name;
  });
  std::string name, title, rotary;
  if (!ReadField(from, "name", name)) missing = "name";
  if (!ReadField(from, "title", title)) missing = "title";
  if (!ReadField(from, "rotary", rotary)) missing = "rotary";
  if (!missing.empty()) return BadInput("config: field {} is missing or of another type", missing);
  config.name = name;
  config.title = title;
  config.rotary =
      rotary == "half_split" ? model::RotaryLayout::kHalfSplit : model::RotaryLayout::kInterleaved;
  auto valid = model::Validate(config);
  if (!valid) return valid.error();
  return config;
}

Result<TrainOptions> OptionsFromJson(const json& from) {
  if (!from.is_object()) return BadInput("settings: expected an object");
  TrainOptions options;
  std::string missing;
  ForEachField(options, [&](const char* name, auto& field) {
    if (IsLaterSetting(name) && !from.contains(name)) return;
    if (!ReadField(from, name, field) && missing.empty()) missing = name;
  });
  std::string vocab, binding;
  if (!ReadField(from, "vocab", vocab)) missing = "vocab";
  if (!ReadField(from, "binding", binding)) missing = "binding";
  if (!from.contains("config")) missing = "config";
  if (!missing.empty()) return BadInput("settings: {} is missing or of another type", missing);
  const auto mode = data::VocabModeFromName(vocab);
  const auto bound = BindingFromName(binding);
  if (!mode || !bound) return BadInput("settings: unknown vocab {} or binding {}", vocab, binding);
  options.vocab = *mode;
  options.binding = *bound;
  auto config = ConfigFromJson(from["config"]);
  if (!config) return config.error().In("settings");
  options.config = *config;
  auto read = ReadFineTuning(from, options);
  if (!read) return read.error();
  return options;
}

Result<TrainOptions> MergeForResume(const TrainOptions& saved, const TrainOptions& given,
                                    const std::set<std::string>& given_flags) {
  json before = ToJson(saved), now = ToJson(given);
  // Two flags set a part of the config.
  before["seq"] = saved.config.seq;
  now["seq"] = given.config.seq;
  before["qk-norm"] = saved.config.qk_norm;
  now["qk-norm"] = given.config.qk_norm;
  // One flag sets two fields.
  if (saved.dynamic_loss_scale) before["loss-scale"] = "dynamic";
  if (given.dynamic_loss_scale) now["loss-scale"] = "dynamic";
  TrainOptions merged = saved;
  for (const std::string& flag : given_flags) {
    if (!now.contains(flag) || now[flag] == before[flag]) continue;
    if (IsFree(flag)) continue;
    if (flag == "steps" && given.steps > saved.steps) continue;
    return BadInput("--{} {}: the run to resume has {}{}", flag, now[flag].dump(),
                    before[flag].dump(),
                    flag == "steps" ? "; only a larger number extends it" : "");
  }
  if (given_flags.contains("steps")) merged.steps = given.steps;
  if (given_flags.contains("save-every")) merged.save_every = given.save_every;
  if (given_flags.contains("val-every")) merged.val_every = given.val_every;
  if (given_flags.contains("val-windows")) merged.val_windows = given.val_windows;
  if (given_flags.contains("export-dtype")) merged.export_dtype = given.export_dtype;
  if (given_flags.contains("recompute")) merged.recompute = given.recompute;
  if (given_flags.contains("tensor-stats-every")) {
    merged.tensor_stats_every = given.tensor_stats_every;
  }
  if (given_flags.contains("sample-every")) merged.sample_every = given.sample_every;
  if (given_flags.contains("sample-prompt")) merged.sample_prompt = given.sample_prompt;
  if (given_flags.contains("tensorboard")) merged.tensorboard = given.tensorboard;
  auto valid = Validate(merged);
  if (!valid) return valid.error();
  return merged;
}

Status RequireSameRun(const TrainOptions& saved, const TrainOptions& now) {
  // Flat, so that a field of the config is named by itself.
  const json before = ToJson(saved).flatten(), after = ToJson(now).flatten();
  for (const auto& [path, value] : after.items()) {
    const std::string name = path.substr(1);
    if (IsFree(name) || name == "steps" || IsDataSource(name)) continue;
    if (before.value(path, json()) == value) continue;
    return BadInput("cannot resume: {} is {} now, but the run was started with {}", name,
                    value.dump(), before.value(path, json()).dump());
  }
  return {};
}

}  // namespace millwright::train
