#include "app/train_preparation.h"

#include <cstdio>
#include <filesystem>

#include "app/ane_flags.h"
#include "app/gemm_file.h"
#include "app/open_device.h"
#include "app/run_folder.h"
#include "app/slow_precision.h"
#include "app/text_data.h"
#include "app/train_sampler.h"
#include "base/memory_info.h"
#include "base/readable_bytes.h"
#include "base/threads.h"
#include "text/open_tokenizer.h"
#include "train/footprint.h"
#include "train/gemm_choices.h"

namespace millwright::app {
namespace {

namespace fs = std::filesystem;

Status OpenState(const TrainFlags& flags, TrainPreparation& p) {
  auto state = checkpoint::StateReader::OpenLatest(flags.out);
  if (!state) return state.error().In("--resume");
  auto saved = train::OptionsFromJson(state->meta().value("settings", nlohmann::json()));
  if (!saved) return saved.error().In(state->path());
  auto merged = train::MergeForResume(*saved, flags.options, flags.given);
  if (!merged) return merged.error().In("--resume");
  p.saved_steps = saved->steps;
  p.options = std::move(*merged);
  p.state = std::move(*state);
  return {};
}

// What others can load an adapter on: of a run its model/.
std::string BaseOf(const TrainFlags& flags, const StoredModel& model) {
  std::error_code ignored;
  std::string inner = flags.from + "/model";
  return fs::is_directory(inner, ignored) ? inner : model.path;
}

// Text is encoded by the model's own tokenizer where --tokenizer names no other.
void ChooseTokenizer(const StoredModel& model, train::TrainOptions& o) {
  if (!o.tokenizer.empty() || o.data.empty() || model.tokenizer_files.empty()) return;
  const bool is_text = IsText(o.data, o) || IsText(o.val, o);
  if (!is_text && o.split.empty() && o.text_field.empty()) return;
  o.tokenizer = TokenizerFolder(model);
}

Status OpenModel(const TrainFlags& flags, TrainPreparation& p) {
  auto model = OpenStoredModel(flags.from);
  if (!model) return model.error().In("--from");
  const int64_t seq = flags.given.contains("seq") ? flags.seq : p.options.config.seq;
  p.options.config = model->config;
  p.options.config.seq = seq;
  if (!flags.given.contains("act-clip")) p.options.act_clip = model->act_clip;
  p.origin = {.base = BaseOf(flags, *model),
              .context = model->config.seq,
              .tokens = model->tokens,
              .other_dtypes = {},
              .repeat_tied_classifier = model->repeats_tied_classifier};
  if (!p.one_dtype) {
    p.options.export_dtype = model->dtype;
    p.origin.other_dtypes = model->other_dtypes;
  }
  ChooseTokenizer(*model, p.options);
  p.model = std::move(*model);
  return {};
}

// The tokens that the run was started with, whatever their file is called now.
Status CheckSameData(const TrainPreparation& p) {
  if (!p.state) return {};
  const std::string now = DataHash(*p.data.train);
  const nlohmann::json saved = p.state->meta().value("data_hash", nlohmann::json());
  if (saved == now) return {};
  return BadInput(
      "--resume: {} does not hold the tokens that the run was started with: their hash "
      "was {}, now it is {}",
      p.data.train->name(), saved.dump(), now);
}

// For texts: that of the data, or else one that lies with the model or in the run folder.
Status FindTokenizer(TrainPreparation& p) {
  if (p.data.tokenizer == nullptr && p.options.sample_every > 0) {
    std::string folder = p.model ? TokenizerFolder(*p.model) : "";
    if (folder.empty() && p.state && !TokenizerFiles(p.out).empty()) folder = p.out;
    if (!folder.empty()) {
      auto tokenizer = text::OpenTokenizer(folder);
      if (!tokenizer) return tokenizer.error().In("--sample-every");
      p.data.tokenizer = *std::move(tokenizer);
    }
  }
  return TrainSampler::Check(p.options, *p.device, p.data.tokenizer.get());
}

Status MakeVocab(TrainPreparation& p) {
  if (p.state) {
    const auto ids = p.state->meta().value("active_ids", nlohmann::json::array());
    std::vector<int32_t> active;
    for (const auto& id : ids) active.push_back(id.is_number_integer() ? id.get<int32_t>() : -1);
    auto vocab =
        data::VocabMap::FromActive(p.options.vocab, p.options.config.vocab, std::move(active));
    if (!vocab) return vocab.error().In(p.state->path());
    p.vocab = std::move(*vocab);
    return {};
  }
  std::vector<std::shared_ptr<const data::TokenSource>> sources = {p.data.train};
  if (p.data.val != nullptr) sources.push_back(p.data.val);
  auto vocab = data::VocabMap::Build(p.options.vocab, p.options.config.vocab, sources);
  if (!vocab) return vocab.error();
  p.vocab = std::move(*vocab);
  return {};
}

// Prints what the run needs, and refuses what the machine does not have.
Status CheckResources(const TrainPreparation& p) {
  const train::Footprint need = train::EstimateFootprint(p.options, *p.device, p.vocab->rows());
  const train::DiskNeed disk = train::EstimateDisk(p.options, p.origin, p.vocab->rows());
  fmt::print(stderr, "memory: {} ({} parameters, {} activations, {} surfaces)\n",
             ReadableBytes(need.total()), ReadableBytes(need.parameter_bytes),
             ReadableBytes(need.activation_bytes), ReadableBytes(need.surface_bytes));
  fmt::print(stderr, "disk: {} a state, up to {} in {}\n", ReadableBytes(disk.state_bytes),
             ReadableBytes(disk.run_bytes), p.out);
  const uint64_t available = AvailableMemory();
  const uint64_t samples = p.options.sample_every > 0 ? SampleBytes(p.options.config) : 0;
  if (available != 0 && need.total() + samples > available) {
    return Failed("the run needs {} of memory{}, {} are available",
                  ReadableBytes(need.total() + samples), samples > 0 ? ", texts included" : "",
                  ReadableBytes(available));
  }
  // A resumed run already has some of its states.
  return CheckFreeSpace(p.out, p.state ? 2 * disk.state_bytes : disk.run_bytes);
}

// The saved run's choices, whatever the tuned ones are by now.
Status OpenGemmTable(const TrainFlags& flags, TrainPreparation& p) {
  if (p.state) {
    auto saved = train::GemmTableFromMeta(p.state->meta());
    if (!saved) return saved.error().In(p.state->path());
    p.gemm_table = std::make_shared<const math::GemmTable>(*std::move(saved));
    return {};
  }
  auto table = GemmTableOfFlag(flags.gemm_table);
  if (!table) return table.error();
  p.gemm_table = *std::move(table);
  return {};
}

}  // namespace

std::string DataHash(const data::TokenSource& tokens) {
  return fmt::format("{:016x}", tokens.hash());
}

Result<TrainPreparation> PrepareTraining(const TrainFlags& flags) {
  TrainPreparation p;
  p.options = flags.options;
  p.out = flags.out;
  p.one_dtype = flags.given.contains("export-dtype");
  Status status;
  if (flags.resume) {
    status = OpenState(flags, p);
  } else {
    status = CheckFresh(flags.out, flags.overwrite);
    if (status && !flags.from.empty()) status = OpenModel(flags, p);
  }
  if (status) status = train::Validate(p.options);
  if (!status) return status.error();
  auto precision = PrecisionFromFlag(p.options.precision);
  if (!precision) return precision.error();
  p.options.threads = SetThreads(p.options.threads);
  status = OpenGemmTable(flags, p);
  if (!status) return status.error();
  const auto rules = AneRulesFromFlag(p.options.ane_rules, *precision);
  if (!rules) return rules.error();
  auto ane = AneOptionsFromFlags(flags.ane);
  if (!ane) return ane.error();
  if (flags.count_products) p.products = std::make_unique<ProductCounters>();
  auto device = OpenDevice(p.options.device,
                           {.precision = *precision,
                            .threads = p.options.threads,
                            .ane = *std::move(ane),
                            .ane_rules = *rules,
                            .products = p.products.get()},
                           p.gemm_table);
  if (!device) return device.error();
  p.device = std::move(*device);
  WarnOfSlowPrecision(*precision, p.device->caps());
  auto data = OpenTrainData(p.options, p.model ? &*p.model : nullptr);
  if (!data) return data.error();
  p.data = std::move(*data);
  status = CheckSameData(p);
  if (status) status = FindTokenizer(p);
  if (status) status = MakeVocab(p);
  if (status) status = CheckResources(p);
  if (!status) return status.error();
  return p;
}

}  // namespace millwright::app
