#include "app/stored_model.h"

#include <algorithm>
#include <filesystem>

#include "base/folder.h"
#include "base/mapped_file.h"
#include "base/read_file.h"
#include "checkpoint/finite.h"
#include "checkpoint/llama2c.h"
#include "checkpoint/training_state.h"
#include "data/vocabulary.h"
#include "train/export.h"
#include "train/options.h"
#include "train/origin.h"
#include "train/schedule.h"

namespace millwright::app {
namespace {

namespace fs = std::filesystem;

using checkpoint::BlztPart;
using checkpoint::StateReader;
using model::TensorSpec;
using nlohmann::json;

int32_t ToInt32(int64_t value) {
  return static_cast<int32_t>(std::clamp<int64_t>(value, INT32_MIN, INT32_MAX));
}

int64_t Number(const json& meta, const char* key) {
  const auto it = meta.find(key);
  return it != meta.end() && it->is_number() ? it->get<int64_t>() : 0;
}

// A state with what is needed to read whole tensors from it.
struct OpenedState {
  StateReader reader;
  train::TrainOptions options;
  data::VocabMap vocab;

  Status Read(const TensorSpec& spec, BlztPart part, std::span<float> out) const;
  Status ReadFinite(const std::string& name, const Shape& shape, std::span<float> out) const;
  Status Merge(const TensorSpec& spec, std::span<float> out) const;
};

// A run that diverged holds a state, but no model.
Status OpenedState::ReadFinite(const std::string& name, const Shape& shape,
                               std::span<float> out) const {
  if (auto status = reader.Read(name, shape, out); !status) return status;
  if (auto status = checkpoint::CheckFinite(name, out); !status) {
    return status.error().In(reader.path());
  }
  return {};
}

// Adds the adapter of a projection to it.
Status OpenedState::Merge(const TensorSpec& spec, std::span<float> out) const {
  std::vector<float> parts[2];
  for (const TensorSpec& adapter : model::AdapterTable(options.config, options.lora)) {
    if (adapter.role != spec.role || adapter.layer != spec.layer) continue;
    auto& part = parts[adapter.part == model::LoraPart::kA ? 0 : 1];
    part.resize(static_cast<size_t>(NumElements(adapter.shape)));
    auto status = ReadFinite(adapter.name, adapter.shape, part);
    if (!status) return status;
  }
  model::MergeAdapter(options.lora.rank, options.lora.scale(), parts[0], parts[1], out);
  return {};
}

// Words without a row of their own: see train::ExpandEmbedding; they have no moments in `active`,
// nor have frozen tensors.
Status OpenedState::Read(const TensorSpec& spec, BlztPart part, std::span<float> out) const {
  const char* suffix = part == BlztPart::kM ? ".m" : part == BlztPart::kV ? ".v" : "";
  if (part != BlztPart::kWeight && reader.optimizer().Find(spec.name + suffix) == nullptr) {
    std::fill(out.begin(), out.end(), 0.0f);  // frozen
    return {};
  }
  if (!spec.has_vocab_rows()) {
    auto status = ReadFinite(spec.name + suffix, spec.shape, out);
    const bool adapted = part == BlztPart::kWeight && options.lora.Adapts(spec.role);
    return status && adapted ? Merge(spec, out) : status;
  }
  const int64_t dim = options.config.dim;
  std::vector<float> rows(static_cast<size_t>(vocab.rows() * dim));
  auto status = ReadFinite(spec.name + suffix, {vocab.rows(), dim}, rows);
  if (!status) return status;
  train::ExpandEmbedding(spec, vocab, options.seed, rows, out);
  if (part == BlztPart::kWeight || vocab.has_shared_row()) return {};
  for (int64_t word = 0; word < vocab.vocab(); ++word) {
    if (vocab.Row(static_cast<int32_t>(word)) >= 0) continue;
    std::fill_n(out.begin() + word * dim, dim, 0.0f);
  }
  return {};
}

Result<OpenedState> WithSettings(StateReader reader) {
  const json& meta = reader.meta();
  auto options = train::OptionsFromJson(meta.value("settings", json()));
  if (!options) return options.error().In(reader.path());
  const json ids = meta.value("active_ids", json::array());
  std::vector<int32_t> active;
  for (const json& id : ids) active.push_back(id.is_number_integer() ? id.get<int32_t>() : -1);
  auto vocab = data::VocabMap::FromActive(options->vocab, options->config.vocab, std::move(active));
  if (!vocab) return vocab.error().In(reader.path());
  return OpenedState{std::move(reader), std::move(*options), std::move(*vocab)};
}

checkpoint::BlztProgress ProgressOf(const OpenedState& state) {
  const json& meta = state.reader.meta();
  const train::TrainOptions& o = state.options;
  const int64_t done = Number(meta, "micro_steps");
  checkpoint::BlztProgress progress;
  progress.step = progress.steps = ToInt32(done);
  progress.total_steps = ToInt32(o.steps);
  progress.lr = static_cast<float>(o.lr);
  progress.batches = ToInt32(Number(meta, "updates"));
  progress.adam_t = ToInt32(Number(meta, "adam_steps"));
  const auto loss = meta.find("last_loss");
  if (loss != meta.end() && loss->is_number()) progress.loss = loss->get<float>();
  return progress;
}

// States of the first version do not say their tokens, but the model beside them does.
model::TokenIds TokensOfRun(const std::string& run) {
  const std::string path = run + "/model/config.json";
  const auto text = ReadFile(path);
  if (!text) return {};
  const auto config = model::ParseHfConfig(*text, path, "");
  return config ? config->tokens : model::TokenIds{};
}

Result<StoredModel> OpenState(Result<StateReader> reader) {
  if (!reader) return reader.error();
  auto opened = WithSettings(std::move(*reader));
  if (!opened) return opened.error();
  const auto state = std::make_shared<const OpenedState>(std::move(*opened));
  const auto origin = train::OriginFromMeta(state->reader.meta());
  if (!origin) return origin.error().In(state->reader.path());
  const std::string run = fs::path(state->reader.path()).lexically_normal().parent_path().string();
  StoredModel model;
  model.format = "training state";
  model.path = state->reader.path();
  model.config = train::ExportConfig(state->options.config, *origin);
  model.residual_alpha = state->options.residual_alpha;
  model.act_clip = state->options.act_clip;
  model.dtype = state->options.export_dtype;
  model.other_dtypes = origin->other_dtypes;
  model.repeats_tied_classifier = origin->repeat_tied_classifier;
  model.tokens = state->reader.meta().contains("eos") ? origin->tokens : TokensOfRun(run);
  model.tokenizer_files = TokenizerFiles(run);
  model.progress = ProgressOf(*state);
  model.has_moments = !state->options.lora.enabled();
  model.read = [state](const TensorSpec& spec, BlztPart part, std::span<float> out) {
    return state->Read(spec, part, out);
  };
  return model;
}

// A format without moments reads them as zeros.
checkpoint::BlztSource WeightsOnly(checkpoint::TensorSource weights) {
  return [weights = std::move(weights)](const TensorSpec& spec, BlztPart part,
                                        std::span<float> out) -> Status {
    if (part == BlztPart::kWeight) return weights(spec, out);
    std::fill(out.begin(), out.end(), 0.0f);
    return {};
  };
}

Result<StoredModel> OpenHf(const std::string& path) {
  auto opened = checkpoint::HfFolder::Open(path);
  if (!opened) return opened.error();
  const auto folder = std::make_shared<const checkpoint::HfFolder>(std::move(*opened));
  StoredModel model;
  model.format = "Hugging Face folder";
  model.path = path;
  model.config = folder->config();
  model.tokens = folder->tokens();
  model.dtype = folder->dtype();
  model.other_dtypes = folder->other_dtypes();
  model.repeats_tied_classifier = folder->repeats_tied_classifier();
  model.tokenizer_files = TokenizerFiles(path);
  model.read = WeightsOnly(
      [folder](const TensorSpec& spec, std::span<float> out) { return folder->Read(spec, out); });
  return model;
}

Result<StoredModel> OpenBlzt(const std::string& path) {
  auto opened = checkpoint::BlztFile::Open(path);
  if (!opened) return opened.error();
  const auto file = std::make_shared<const checkpoint::BlztFile>(std::move(*opened));
  StoredModel model;
  model.format = fmt::format("BLZT version {}", file->version());
  model.path = path;
  model.config = file->config();
  model.progress = file->progress();
  model.has_moments = true;
  model.read = [file](const TensorSpec& spec, BlztPart part, std::span<float> out) {
    return file->Read(spec, part, out);
  };
  return model;
}

Result<StoredModel> OpenLlama2c(const std::string& path) {
  auto opened = checkpoint::Llama2cFile::Open(path);
  if (!opened) return opened.error();
  const auto file = std::make_shared<const checkpoint::Llama2cFile>(std::move(*opened));
  StoredModel model;
  model.format = fmt::format("llama2.c version {}", file->format().version);
  model.path = path;
  model.config = file->config();
  model.read = WeightsOnly(
      [file](const TensorSpec& spec, std::span<float> out) { return file->Read(spec, out); });
  return model;
}

Result<StoredModel> OpenFile(const std::string& path) {
  auto file = MappedFile::Open(path);
  if (!file) return file.error();
  const auto bytes = (*file)->bytes();
  if (checkpoint::LooksLikeBlzt(bytes)) return OpenBlzt(path);
  if (checkpoint::LooksLikeLlama2c(bytes)) return OpenLlama2c(path);
  return BadInput("{}: not a model file: neither BLZT nor llama2.c", path);
}

}  // namespace

std::string ActClipWarning(const StoredModel& model) {
  if (model.act_clip == 0.0) return "";
  return fmt::format("warning: {} was trained with --act-clip {}, which is left out here\n",
                     model.path, model.act_clip);
}

checkpoint::TensorSource OrdinaryWeights(const StoredModel& model) {
  return [read = model.read, alpha = model.residual_alpha](const TensorSpec& spec,
                                                           std::span<float> out) -> Status {
    if (auto status = read(spec, BlztPart::kWeight, out); !status) return status;
    checkpoint::FoldResidualAlpha(spec.role, alpha, out);
    return {};
  };
}

std::string TokenizerFolder(const StoredModel& model) {
  if (model.tokenizer_files.empty()) return "";
  const fs::path folder = fs::path(model.tokenizer_files.front()).parent_path();
  return folder.empty() ? "." : folder.string();
}

std::vector<std::string> TokenizerFiles(const std::string& dir) {
  std::vector<std::string> files;
  for (const char* name :
       {"tokenizer.json", "tokenizer.bin", "tokenizer.model", "tokenizer_config.json",
        "special_tokens_map.json", "vocab.json", "merges.txt", "added_tokens.json"}) {
    const fs::path path = fs::path(dir) / name;
    if (Exists(path)) files.push_back(path.string());
  }
  return files;
}

Result<StoredModel> OpenStoredModel(const std::string& path) {
  if (!Exists(path)) return BadInput("{}: there is no such file or folder", path);
  const fs::path folder(path);
  std::error_code ignored;
  if (!fs::is_directory(folder, ignored)) return OpenFile(path);
  if (Exists(folder / "LATEST")) return OpenState(StateReader::OpenLatest(path));
  if (Exists(folder / "state.json")) return OpenState(StateReader::Open(path));
  if (Exists(folder / "config.json")) return OpenHf(path);
  if (Exists(folder / "model" / "config.json")) return OpenHf((folder / "model").string());
  return BadInput(
      "{}: holds no model: neither LATEST (a run), state.json (a training state) nor config.json "
      "(a Hugging Face folder)",
      path);
}

}  // namespace millwright::app
