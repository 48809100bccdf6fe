#include "app/describe.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <vector>

#include "app/run_folder.h"
#include "app/stored_model.h"
#include "base/folder.h"
#include "checkpoint/training_state.h"
#include "telemetry/metrics_reader.h"
#include "text/open_tokenizer.h"
#include "train/options.h"

namespace millwright::app {
namespace {

namespace fs = std::filesystem;

using checkpoint::StateReader;
using nlohmann::json;

std::string Join(const std::vector<std::string>& parts) {
  std::string text;
  for (const std::string& part : parts) text += (text.empty() ? "" : ", ") + part;
  return text;
}

std::string DescribeTokens(const model::TokenIds& tokens) {
  std::vector<std::string> parts;
  if (tokens.bos) parts.push_back(fmt::format("BOS {}", *tokens.bos));
  if (tokens.eos) {
    std::string ends = fmt::format("EOS {}", *tokens.eos);
    for (const int64_t id : tokens.more_eos) ends += fmt::format(" or {}", id);
    parts.push_back(std::move(ends));
  }
  return parts.empty() ? "" : DescriptionLine("tokens", Join(parts));
}

std::string DescribeTokenizerFiles(const std::string& dir) {
  std::vector<std::string> names;
  for (const std::string& file : TokenizerFiles(dir)) names.push_back(fs::path(file).filename());
  return names.empty() ? "" : DescriptionLine("tokenizer", Join(names));
}

// Settings, position and weights of a state.
Result<std::string> DescribeStateBody(const StateReader& state) {
  const json& meta = state.meta();
  auto options = train::OptionsFromJson(meta.value("settings", json()));
  if (!options) return options.error().In(state.path());
  const train::TrainOptions& o = *options;
  std::string text = DescribeConfig(o.config);
  text += DescriptionLine("position", fmt::format("micro-step {} of {}, {} updates", state.step(),
                                                  o.steps, meta.value("updates", json()).dump()));
  text += DescriptionLine("loss", fmt::format("last {}, best validation {} at micro-step {}",
                                              meta.value("last_loss", json()).dump(),
                                              meta.value("best_val", json()).dump(),
                                              meta.value("best_step", json()).dump()));
  text += DescriptionLine(
      "settings",
      fmt::format("lr {}, accum {}, warmup {}, clip {}, weight decay {}, betas {} and {}, "
                  "seed {}",
                  o.lr, o.accum, o.warmup, o.clip, o.weight_decay, o.beta1, o.beta2, o.seed));
  text += DescriptionLine("data",
                          fmt::format("{}, hash {}", o.data.empty() ? "embedded stories" : o.data,
                                      meta.value("data_hash", json()).dump()));
  if (o.lora.enabled()) {
    text += DescriptionLine("adapters", fmt::format("LoRA of rank {}, alpha {}, {}", o.lora.rank,
                                                    o.lora.alpha, model::LoraTargetNames(o.lora)));
  }
  if (!o.freeze.empty()) text += DescriptionLine("frozen", Join(o.freeze));
  const size_t active = meta.value("active_ids", json::array()).size();
  text += DescriptionLine(
      "vocabulary", o.vocab == data::VocabMode::kFull
                        ? fmt::format("full, {} words", o.config.vocab)
                        : fmt::format("{}, {} of {} words active", data::VocabModeName(o.vocab),
                                      active, o.config.vocab));
  const size_t tuned = meta.value("gemm_choices", json::array()).size();
  text += DescriptionLine(
      "device",
      fmt::format("{}, binding {}, {}, {} threads, {}{}", o.device, kernels::BindingName(o.binding),
                  o.precision, o.threads, meta.value("gemm_table", json()).dump(),
                  tuned == 0 ? "" : fmt::format(", {} tuned products", tuned)));
  text += DescriptionLine(
      "files", fmt::format("{} tensors and {} moments, {:.1f} MB, checksums verified",
                           state.weights().entries().size(), state.optimizer().entries().size(),
                           static_cast<double>(state.weights().file_bytes().size() +
                                               state.optimizer().file_bytes().size()) /
                               1e6));
  return text;
}

Result<std::string> DescribeState(const std::string& path) {
  auto state = StateReader::Open(path);
  if (!state) return state.error();
  auto body = DescribeStateBody(*state);
  if (!body) return body.error();
  return fmt::format("{}: training state\n{}", path, *body);
}

std::string DescribeMetrics(const std::string& path) {
  auto metrics = telemetry::ReadMetrics(path);
  if (!metrics || metrics->steps.empty()) return "";
  const auto& [step, last] = *metrics->steps.rbegin();
  std::string text = fmt::format("{} micro-steps, last {} with loss {:.4f}", metrics->steps.size(),
                                 step, last.loss);
  if (!metrics->validations.empty()) {
    const auto& [at, validation] = *metrics->validations.rbegin();
    text += fmt::format(", validation loss {:.4f} at {}", validation.val_loss, at);
  }
  return DescriptionLine("metrics", text);
}

Result<std::string> DescribeRun(const std::string& path) {
  std::string text = fmt::format("{}: run folder\n", path);
  std::vector<std::string> names;
  for (int64_t step : checkpoint::ListStates(path)) {
    names.push_back(fs::path(checkpoint::StatePath(path, step)).filename());
  }
  if (names.empty()) {
    text += DescriptionLine("states", "none");
  } else {
    auto latest = StateReader::OpenLatest(path);
    if (!latest) return latest.error();
    text += DescriptionLine("states", fmt::format("{}; latest {}", Join(names),
                                                  fs::path(latest->path()).filename().string()));
    auto body = DescribeStateBody(*latest);
    if (!body) return body.error();
    text += *body;
  }
  text += DescribeMetrics(path + "/metrics.jsonl");
  if (Exists(path + "/model/config.json")) {
    text += DescriptionLine("model", "model/ loads as a Hugging Face folder");
  }
  return text + DescribeTokenizerFiles(path);
}

// "bf16, 3 tensors fp32; in 2 files; lm_head.weight repeats the embedding".
std::string DescribeWeights(const checkpoint::HfFolder& model) {
  std::string text(DTypeName(model.dtype()));
  std::map<DType, int64_t> others;
  for (const auto& [name, dtype] : model.other_dtypes()) ++others[dtype];
  for (const auto& [dtype, count] : others) {
    text += fmt::format(", {} tensors {}", count, DTypeName(dtype));
  }
  if (model.files() > 1) text += fmt::format("; in {} files", model.files());
  if (model.repeats_tied_classifier()) text += "; lm_head.weight repeats the embedding";
  return DescriptionLine("weights", text);
}

Result<std::string> DescribeHf(const std::string& path) {
  auto model = checkpoint::HfFolder::Open(path);
  if (!model) return model.error();
  return fmt::format("{}: Hugging Face folder ({})\n{}{}{}", path,
                     model->config().qk_norm ? "Qwen3ForCausalLM" : "LlamaForCausalLM",
                     DescribeConfig(model->config()), DescribeWeights(*model),
                     DescribeTokens(model->tokens()) + DescribeTokenizerFiles(path));
}

Result<std::string> DescribeTokenizerFolder(const std::string& path) {
  auto tokenizer = text::OpenTokenizer(path);
  if (!tokenizer) return tokenizer.error();
  return fmt::format("{}: tokenizer\n{}{}{}", path, DescriptionLine("kind", (*tokenizer)->kind()),
                     DescriptionLine("vocabulary", fmt::format("{}", (*tokenizer)->vocab_size())),
                     DescribeTokens({(*tokenizer)->bos(), (*tokenizer)->eos()}));
}

// A folder of programs: each of them, in the order of their names.
Result<std::string> DescribePrograms(const std::string& path, std::vector<std::string> files) {
  std::sort(files.begin(), files.end());
  std::string text = fmt::format("{}: {} MIL programs\n", path, files.size());
  for (const std::string& file : files) {
    auto part = DescribeFile(file);
    if (!part) return part.error();
    text += *part;
  }
  return text;
}

std::vector<std::string> ProgramsIn(const std::string& path) {
  std::vector<std::string> files;
  std::error_code error;
  for (fs::directory_iterator it(path, error), end; !error && it != end; it.increment(error)) {
    if (it->path().extension() == ".mil") files.push_back(it->path().string());
  }
  return files;
}

Result<std::string> DescribeFolder(const std::string& path) {
  if (Exists(path + "/state.json")) return DescribeState(path);
  if (HoldsRun(path)) return DescribeRun(path);
  if (Exists(path + "/config.json")) return DescribeHf(path);
  if (auto programs = ProgramsIn(path); !programs.empty()) {
    return DescribePrograms(path, std::move(programs));
  }
  if (Exists(path + "/tokenizer.json") || Exists(path + "/tokenizer.bin")) {
    return DescribeTokenizerFolder(path);
  }
  return BadInput(
      "{}: not a folder that info knows: a run (LATEST, metrics.jsonl), a training state "
      "(state.json), a Hugging Face model (config.json), MIL programs (*.mil), a tokenizer "
      "(tokenizer.json, tokenizer.bin)",
      path);
}

}  // namespace

std::string DescriptionLine(std::string_view label, std::string_view text) {
  return fmt::format("  {:<12}{}\n", label, text);
}

std::string DescribeConfig(const model::ModelConfig& c) {
  std::string network = fmt::format(
      "dim {}, hidden {}, {} layers, {} heads, {} kv heads, head_dim {}, seq {}, vocabulary {}",
      c.dim, c.hidden_dim, c.layers, c.heads, c.kv_heads, c.head_dim, c.seq, c.vocab);
  const bool half_split = c.rotary == model::RotaryLayout::kHalfSplit;
  std::string details =
      fmt::format("rope theta {}, {} rotary, norm eps {}, {}, {} embeddings", c.rope_theta,
                  half_split ? "half-split" : "interleaved", c.rms_norm_eps,
                  c.qk_norm ? "QK-norm" : "no QK-norm", c.tied_embeddings ? "tied" : "untied");
  std::string text;
  if (!c.title.empty()) text += DescriptionLine("name", c.title.view());
  text += DescriptionLine("network", network);
  text += DescriptionLine("", details);
  return text + DescriptionLine("parameters",
                                fmt::format("{:.2f}M: {:.2f}M layers, {:.2f}M embedding{}",
                                            static_cast<double>(c.params()) / 1e6,
                                            static_cast<double>(c.transformer_params()) / 1e6,
                                            static_cast<double>(c.embedding_params()) / 1e6,
                                            c.tied_embeddings ? "" : " and as much classifier"));
}

Result<std::string> Describe(const std::string& path) {
  std::error_code ignored;
  if (!Exists(path)) return BadInput("{}: there is no such file or folder", path);
  std::string trimmed = path;
  while (trimmed.size() > 1 && trimmed.back() == '/') trimmed.pop_back();
  return fs::is_directory(trimmed, ignored) ? DescribeFolder(trimmed) : DescribeFile(trimmed);
}

}  // namespace millwright::app
