// millwright train: a run from its flags to its last state.
#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "app/command.h"
#include "app/efficiency_report.h"
#include "app/gemm_file.h"
#include "app/gemm_guard.h"
#include "app/interrupt.h"
#include "app/open_device.h"
#include "app/report/report.h"
#include "app/restart.h"
#include "app/run_folder.h"
#include "app/slow_precision.h"
#include "app/stored_model.h"
#include "app/text_data.h"
#include "app/train_data.h"
#include "app/train_flags.h"
#include "app/train_printer.h"
#include "app/train_sampler.h"
#include "app/watched_run.h"
#include "base/atomic_file.h"
#include "base/memory_info.h"
#include "base/read_file.h"
#include "base/threads.h"
#include "model/rotary_layout.h"
#include "text/open_tokenizer.h"
#include "train/footprint.h"
#include "train/gemm_choices.h"
#include "train/trainer.h"

namespace millwright::app {
namespace {

namespace fs = std::filesystem;

// Everything that is opened and checked before the run folder is touched.
struct Preparation {
  train::TrainOptions options;
  std::string out;
  std::unique_ptr<ProductCounters> products;  // --count-products; outlives the device
  std::unique_ptr<device::Device> device;
  TrainData data;
  std::optional<data::VocabMap> vocab;
  std::optional<checkpoint::StateReader> state;       // --resume
  int64_t saved_steps = 0;                            // the length that the run had
  std::optional<StoredModel> model;                   // --from
  train::Origin origin;                               // of model
  std::shared_ptr<const math::GemmTable> gemm_table;  // null: the fixed rule
  bool one_dtype = false;                             // --export-dtype
  nlohmann::json run_json, machine;
};

std::string HashText(const data::TokenSource& tokens) {
  return fmt::format("{:016x}", tokens.hash());
}

Status OpenState(const TrainFlags& flags, Preparation& p) {
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

Status OpenModel(const TrainFlags& flags, Preparation& p) {
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
Status CheckSameData(const Preparation& p) {
  if (!p.state) return {};
  const std::string now = HashText(*p.data.train);
  const nlohmann::json saved = p.state->meta().value("data_hash", nlohmann::json());
  if (saved == now) return {};
  return BadInput(
      "--resume: {} does not hold the tokens that the run was started with: their hash "
      "was {}, now it is {}",
      p.data.train->name(), saved.dump(), now);
}

// For texts: that of the data, or else one that lies with the model or in the run folder.
Status FindTokenizer(Preparation& p) {
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

Status MakeVocab(Preparation& p) {
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
Status CheckResources(const Preparation& p) {
  const train::Footprint need = train::EstimateFootprint(p.options, *p.device, p.vocab->rows());
  const train::DiskNeed disk = train::EstimateDisk(p.options, p.origin, p.vocab->rows());
  const auto gb = [](uint64_t bytes) { return static_cast<double>(bytes) / 1e9; };
  fmt::print(
      stderr,
      "memory: {:.2f} GB ({:.2f} GB parameters, {:.2f} GB activations, {:.2f} GB surfaces)\n",
      gb(need.total()), gb(need.parameter_bytes), gb(need.activation_bytes),
      gb(need.surface_bytes));
  fmt::print(stderr, "disk: {:.2f} GB a state, up to {:.2f} GB in {}\n", gb(disk.state_bytes),
             gb(disk.run_bytes), p.out);
  const uint64_t available = AvailableMemory();
  const uint64_t samples = p.options.sample_every > 0 ? SampleBytes(p.options.config) : 0;
  if (available != 0 && need.total() + samples > available) {
    return Failed("the run needs {:.2f} GB of memory{}, {:.2f} GB are available",
                  gb(need.total() + samples), samples > 0 ? ", texts included" : "", gb(available));
  }
  // A resumed run already has some of its states.
  return CheckFreeSpace(p.out, p.state ? 2 * disk.state_bytes : disk.run_bytes);
}

// The saved run's choices, whatever the tuned ones are by now.
Status OpenGemmTable(const TrainFlags& flags, Preparation& p) {
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

Result<Preparation> Prepare(const TrainFlags& flags) {
  Preparation p;
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

nlohmann::json RunJson(const Preparation& p) {
  return {{"version", MILLWRIGHT_VERSION},
          {"settings", ToJson(p.options)},
          {"data", p.data.train->name()},
          {"data_tokens", p.data.train->size()},
          {"data_hash", HashText(*p.data.train)},
          {"active_words", p.vocab->active().size()},
          {"device", std::string(p.device->name())},
          {"gemm_choices",
           p.gemm_table == nullptr ? nlohmann::json::array() : train::ToJson(*p.gemm_table)}};
}

// A tokenizer's files as they will lie in the run folder. Read before the folder is touched: they
// may lie in it.
using Files = std::vector<std::pair<std::string, std::string>>;

Result<Files> ReadFiles(const std::vector<std::string>& paths) {
  Files files;
  for (const std::string& path : paths) {
    auto bytes = ReadFile(path);
    if (!bytes) return bytes.error();
    files.emplace_back(fs::path(path).filename().string(), *std::move(bytes));
  }
  return files;
}

// The files of the tokenizer that go along as they are: those of the folder that --tokenizer names,
// or else the model's. None where it names a single file that is not the model's.
std::vector<std::string> FilesToCopy(const Preparation& p) {
  const std::string& named = p.options.tokenizer;
  std::error_code ignored;
  if (fs::is_directory(named, ignored)) return TokenizerFiles(named);
  if (!p.model) return {};
  const auto is_named = [&](const auto& file) { return fs::equivalent(file, named, ignored); };
  const auto& own = p.model->tokenizer_files;
  return named.empty() || std::ranges::any_of(own, is_named) ? own : std::vector<std::string>();
}

// A fresh run folder with the tokenizer, written anew where there are no files to copy.
Status MakeFolder(const Preparation& p) {
  auto files = ReadFiles(FilesToCopy(p));
  if (!files) return files.error();
  auto status = PrepareFresh(p.out);
  if (status && files->empty() && p.data.tokenizer != nullptr) {
    status = p.data.tokenizer->Save(p.out);
  }
  if (!status) return status;
  for (const auto& [name, text] : *files) {
    status = WriteFileAtomically(p.out + "/" + name, text);
    if (!status) return status;
  }
  return {};
}

// First or saved values.
Status Fill(const Preparation& p, train::Trainer& trainer) {
  if (p.state) return trainer.Load(*p.state);
  if (!p.model) return trainer.Init();
  return trainer.InitFrom(OrdinaryWeights(*p.model));
}

// The trainer first, then the folder's own files: what is refused leaves no trace.
Result<std::unique_ptr<train::Trainer>> OpenRun(Preparation& p) {
  p.machine = DescribeMachine(p.options, *p.device, p.vocab->rows());
  train::RunInputs inputs = {.options = p.options,
                             .train = p.data.train,
                             .val = p.data.val,
                             .run_dir = p.out,
                             .origin = p.origin,
                             .gemm_table = p.gemm_table,
                             .floor_ms = p.machine.value("floor_ms", 0.0),
                             .one_dtype = p.one_dtype};
  if (p.data.tokenizer != nullptr) {
    train::FillAbsent({p.data.tokenizer->bos(), p.data.tokenizer->eos(), {}}, inputs.origin.tokens);
  }
  p.run_json = RunJson(p);
  auto trainer = train::Trainer::Create(std::move(inputs), std::move(*p.vocab), *p.device);
  if (!trainer) return trainer.error();
  auto status = Fill(p, **trainer);
  if (p.model) p.model->read = nullptr;  // unmaps the files, which may be gigabytes
  if (status && !p.state) status = MakeFolder(p);
  if (status) status = WriteRunJson(p.out, p.run_json);
  if (!status) return status.error();
  (*trainer)->SetTokenizerFiles(TokenizerFiles(p.out));
  return trainer;
}

void PrintStart(const Preparation& p, train::Trainer& trainer) {
  const auto& session = trainer.network().session();
  PrintBanner(p.options, session.compiles(), session.spec());
  if (p.state) {
    // null where the loss was not finite.
    const nlohmann::json loss = p.state->meta().value("last_loss", nlohmann::json());
    fmt::print("[RESUMED step {}, loss={:.4f}]\n", trainer.micro_steps_done(),
               loss.is_number() ? loss.get<double>() : 0.0);
  } else if (p.model) {
    fmt::print("  Starting from {} \n", p.options.config.name);
  } else {
    fmt::print("  Training from scratch (random init)\n");
  }
  PrintTrained(p.options, trainer.network().parameters());
  PrintData(*p.data.train, trainer.network().vocab());
  std::fflush(stdout);
}

// The end of a run that nothing is left to do for: of `steps` micro-steps, validated.
bool IsFinished(const checkpoint::StateReader& state, int64_t steps) {
  return state.step() >= steps && state.meta().value("validation_due", nlohmann::json()) != true;
}

// All but how the device is reached, and what is asked of this process, is in the state.
std::vector<std::string> RestartArguments(const TrainFlags& flags) {
  std::vector<std::string> arguments = {"train", "--resume", "--out", flags.out};
  for (const std::string& argument : ArgumentsOf(flags.ane)) arguments.push_back(argument);
  if (flags.count_products) arguments.emplace_back("--count-products");
  return arguments;
}

Result<int> Train(const TrainFlags& flags, const std::string& program) {
  auto prepared = Prepare(flags);
  if (!prepared) return prepared.error();
  Preparation& p = *prepared;
  if (p.state && IsFinished(*p.state, p.options.steps)) {
    fmt::print(
        "The run in {} is finished: {} of {} micro-steps are done. A larger --steps extends it.\n",
        p.out, p.state->step(), p.options.steps);
    return kExitDone;
  }
  if (p.state && p.options.steps != p.saved_steps) {
    fmt::print(stderr,
               "extending the run from {} to {} micro-steps: the learning-rate schedule changes\n",
               p.saved_steps, p.options.steps);
  }
  if (p.device->name() == "cpu") WarnOfSlowGemm(p.gemm_table);
  const std::atomic<bool>& stop = CatchInterrupts();
  auto opened = OpenRun(p);
  if (!opened) return opened.error();
  train::Trainer& trainer = **opened;
  PrintStart(p, trainer);
  const auto end = RunWatched({.options = p.options,
                               .out = p.out,
                               .run_json = p.run_json,
                               .machine = p.machine,
                               .device = *p.device,
                               .tokenizer = p.data.tokenizer},
                              trainer, stop);
  if (end && *end == train::RunEnd::kRestart) {
    fmt::print(stderr, "{} programs are compiled, and no more fit: going on in a new process\n",
               trainer.network().session().compiles().programs);
    return Restart(program, RestartArguments(flags));
  }
  const auto report = report::WriteReport(p.out);
  if (!report) fmt::print(stderr, "warning: no report: {}\n", report.error().message);
  if (!end) return end.error();
  const bool interrupted = *end != train::RunEnd::kDone;
  PrintReport(p.options, trainer.totals(), trainer.network().session(), trainer.micro_steps_done());
  if (p.products != nullptr) PrintProducts(trainer.network().session());
  fmt::print(stderr, "{}: state, metrics.jsonl and model/ are in {}\n",
             interrupted ? "interrupted and saved; --resume goes on" : "done", p.out);
  return interrupted ? kExitInterrupted : kExitDone;
}

}  // namespace

void AddTrainCommand(CLI::App& app, CommandContext& context) {
  CLI::App* command = app.add_subcommand(
      "train", "Train a model on tokens; needs one of --scratch, --resume and --from");
  auto flags = AddTrainFlags(*command, context.config);
  command->callback([command, flags, &context] {
    context.action = [command, flags, &context]() -> int {
      auto status = FinishTrainFlags(*command, *flags);
      if (!status) return Report(status.error());
      auto result = Train(*flags, context.program);
      return result ? *result : Report(result.error());
    };
  });
}

}  // namespace millwright::app
