// millwright train: a run from its flags to its last state.
#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "app/command.h"
#include "app/efficiency_report.h"
#include "app/gemm_guard.h"
#include "app/interrupt.h"
#include "app/report/report.h"
#include "app/restart.h"
#include "app/run_folder.h"
#include "app/stored_model.h"
#include "app/train_flags.h"
#include "app/train_preparation.h"
#include "app/train_printer.h"
#include "app/watched_run.h"
#include "base/atomic_file.h"
#include "base/read_file.h"
#include "train/gemm_choices.h"
#include "train/trainer.h"

namespace millwright::app {
namespace {

namespace fs = std::filesystem;

nlohmann::json RunJson(const TrainPreparation& p) {
  return {{"version", MILLWRIGHT_VERSION},
          {"settings", ToJson(p.options)},
          {"data", p.data.train->name()},
          {"data_tokens", p.data.train->size()},
          {"data_hash", DataHash(*p.data.train)},
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
std::vector<std::string> FilesToCopy(const TrainPreparation& p) {
  const std::string& named = p.options.tokenizer;
  std::error_code ignored;
  if (fs::is_directory(named, ignored)) return TokenizerFiles(named);
  if (!p.model) return {};
  const auto is_named = [&](const auto& file) { return fs::equivalent(file, named, ignored); };
  const auto& own = p.model->tokenizer_files;
  return named.empty() || std::ranges::any_of(own, is_named) ? own : std::vector<std::string>();
}

// A fresh run folder with the tokenizer, written anew where there are no files to copy.
Status MakeFolder(const TrainPreparation& p) {
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
Status Fill(const TrainPreparation& p, train::Trainer& trainer) {
  if (p.state) return trainer.Load(*p.state);
  if (!p.model) return trainer.Init();
  return trainer.InitFrom(OrdinaryWeights(*p.model));
}

// The trainer first, then the folder's own files: what is refused leaves no trace.
Result<std::unique_ptr<train::Trainer>> OpenRun(TrainPreparation& p) {
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

void PrintStart(const TrainPreparation& p, train::Trainer& trainer) {
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
  auto prepared = PrepareTraining(flags);
  if (!prepared) return prepared.error();
  TrainPreparation& p = *prepared;
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
