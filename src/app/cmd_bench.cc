// millwright bench: kernels, products, whole steps and generation against the machine's ceilings.
#include <algorithm>
#include <array>
#include <filesystem>

#include "app/ane_flags.h"
#include "app/bench_ane.h"
#include "app/bench_gemm.h"
#include "app/bench_generate.h"
#include "app/bench_kernels.h"
#include "app/bench_scaling.h"
#include "app/bench_sequence.h"
#include "app/bench_step.h"
#include "app/bench_tune.h"
#include "app/command.h"
#include "app/gemm_file.h"
#include "app/gemm_guard.h"
#include "app/open_device.h"
#include "app/slow_precision.h"
#include "app/stored_model.h"
#include "base/atomic_file.h"
#include "base/folder.h"
#include "base/threads.h"
#include "train/options.h"

namespace millwright::app {
namespace {

struct BenchOptions {
  std::string what = "all";
  std::string json, from;
  double seconds = 10;
  int64_t vocab_rows = 6839;  // the words of TinyStories' training shard that have a row
  std::vector<int64_t> lengths = {256, 512, 1024, 2048};
  std::string gemm_table = "fixed", precision = "fp32", weights = "fp32";
  bool full = false, tune = false;
  int threads = 0;
  AneFlags ane;
  std::string contributor;
};

// What the parts of a benchmark have in common.
struct BenchRun {
  const BenchOptions& options;
  const model::ModelConfig& config;
  device::Device& device;
  std::shared_ptr<const math::GemmTable> gemm_table;
  Progress progress;

  int64_t rows() const { return std::min(options.vocab_rows, config.vocab); }
};

// Prints a part's figures; they as JSON.
template <class Bench>
Result<nlohmann::json> Show(const Result<Bench>& bench) {
  if (!bench) return bench.error();
  fmt::print("{}", ToText(*bench));
  std::fflush(stdout);
  return ToJson(*bench);
}

// The numbers of embedding rows to measure with, none twice.
std::vector<int64_t> RowCounts(const BenchOptions& o, int64_t vocab) {
  constexpr int64_t kQwenTinyStories = 9216;
  std::vector<int64_t> counts = {std::min(o.vocab_rows, vocab)};
  if (!o.full) return counts;
  for (int64_t rows : {std::min(kQwenTinyStories, vocab), vocab}) {
    if (std::find(counts.begin(), counts.end(), rows) == counts.end()) counts.push_back(rows);
  }
  return counts;
}

Result<nlohmann::json> RunKernels(const BenchRun& run) {
  return Show(BenchKernels(run.device, run.config, run.options.seconds, run.progress));
}

// Measures, and adds what it finds to the table that --gemm-table names (or to this machine's own),
// which may know other models' products already.
Result<nlohmann::json> RunTune(const BenchRun& run) {
  const GemmMachine machine = ThisGemmMachine();
  const std::string& flag = run.options.gemm_table;
  const bool own = flag == "fixed" || flag == "tuned";
  const std::string path = own ? TunedGemmPath(machine) : flag;
  Result<math::GemmTable> table = math::GemmTable();
  if (Exists(path)) {
    table = ReadGemmTable(path, machine);
    if (!table) return table.error().In("--tune");
  }
  const TuneBench bench = TuneGemms(run.config, run.rows(), run.options.seconds, run.progress);
  const math::GemmTable found = bench.table();
  for (const auto& [product, kind] : found.choices()) table->Set(product, kind);
  if (auto status = WriteGemmTable(path, machine, *table); !status) return status.error();
  auto figures = Show<TuneBench>(bench);
  fmt::print("  written to {}\n", path);
  return figures;
}

Result<nlohmann::json> RunGemm(const BenchRun& run) {
  if (run.options.tune) return RunTune(run);
  math::GemmEngine engine(run.gemm_table);
  return Show<GemmBench>(
      BenchGemm(engine, run.config, run.rows(), run.options.seconds, run.progress));
}

Result<nlohmann::json> RunStep(const BenchRun& run) {
  nlohmann::json all = nlohmann::json::array();
  for (const int64_t rows : RowCounts(run.options, run.config.vocab)) {
    auto one = Show(
        BenchStep(run.device, run.config, rows, run.options.seconds, run.progress, run.gemm_table));
    if (!one) return one.error();
    all.push_back(std::move(*one));
  }
  return all;
}

Result<nlohmann::json> RunScaling(const BenchRun& run) {
  if (run.options.what == "all" && GetThreads() < 2) return nlohmann::json();  // nothing to compare
  return Show(BenchScaling(run.device, run.config, run.rows(), run.options.seconds, run.progress,
                           run.gemm_table));
}

Result<nlohmann::json> RunSequence(const BenchRun& run) {
  return Show(BenchSequence(run.device, run.config, run.rows(), run.options.lengths,
                            run.options.seconds, run.progress, run.gemm_table));
}

// With --from that model, else the one that was built.
Result<nlohmann::json> RunGenerate(const BenchRun& run) {
  const double seconds = run.options.seconds;
  if (run.options.from.empty()) {
    return Show(BenchGenerate(run.device, run.config, nullptr, seconds, run.progress));
  }
  const auto model = OpenStoredModel(run.options.from);
  if (!model) return model.error().In("--from");
  return Show(
      BenchGenerate(run.device, model->config, OrdinaryWeights(*model), seconds, run.progress));
}

struct BenchPart {
  std::string_view name;
  Result<nlohmann::json> (*run)(const BenchRun& run);
};

// In the order in which `all` runs them. The kernels come first: they tell how long the first
// compilation of a process takes.
constexpr std::array kParts = {
    BenchPart{"kernels", RunKernels},   BenchPart{"gemm", RunGemm},
    BenchPart{"step", RunStep},         BenchPart{"scaling", RunScaling},
    BenchPart{"sequence", RunSequence}, BenchPart{"generate", RunGenerate}};

std::string PartNames(std::string_view separator) {
  std::string names;
  for (const BenchPart& part : kParts) names += fmt::format("{}{}", part.name, separator);
  return names + "all" + std::string(separator) + "ane";
}

Status Check(const BenchOptions& o) {
  const auto is_it = [&](const BenchPart& part) { return part.name == o.what; };
  if (o.what != "all" && o.what != "ane" && std::ranges::none_of(kParts, is_it)) {
    return BadInput("bench {}: expected one of {}", o.what, PartNames(", "));
  }
  if (o.tune && o.what != "gemm") {
    return BadInput("--tune: is for bench gemm, not for bench {}", o.what);
  }
  if (!(o.seconds > 0)) return BadInput("--seconds {}: is not positive", o.seconds);
  if (o.vocab_rows < 2) return BadInput("--vocab-rows {}: at least 2 are needed", o.vocab_rows);
  if (o.threads < 0) return BadInput("--threads {}: is negative", o.threads);
  for (const int64_t length : o.lengths) {
    if (length < 1) return BadInput("--lengths {}: is not positive", length);
  }
  std::error_code ignored;
  const std::string parent = ParentFolder(o.json);
  if (!o.json.empty() && !std::filesystem::is_directory(parent, ignored)) {
    return BadInput("--json {}: there is no folder {}", o.json, parent);
  }
  return {};
}

void SayProgress(const std::string& text) { fmt::print(stderr, "{}\n", text); }

// On a device of its own, which `all` does not need.
Status RunAne(const BenchOptions& o, const model::ModelConfig& config) {
  auto ane = AneOptionsFromFlags(o.ane);
  if (!ane) return ane.error();
  const auto bench = BenchAne({.precision = Precision::kAne, .ane = *std::move(ane)}, config,
                              o.seconds, SayProgress);
  if (!bench) return bench.error();
  fmt::print("{}", ToText(*bench));
  if (o.json.empty()) return {};
  return WriteFileAtomically(o.json, ToJson(*bench, o.contributor).dump(2) + "\n");
}

Status RunBench(const BenchOptions& o, const model::ModelConfig& config) {
  if (auto status = Check(o); !status) return status;
  if (o.what == "ane") return RunAne(o, config);
  const int threads = SetThreads(o.threads);
  std::shared_ptr<const math::GemmTable> gemm_table;
  if (!o.tune) {
    auto table = GemmTableOfFlag(o.gemm_table);
    if (!table) return table.error();
    gemm_table = *std::move(table);
  }
  const auto precision = PrecisionFromFlag(o.precision);
  if (!precision) return precision.error();
  const auto weights = VectorWeightsFromFlag(o.weights);
  if (!weights) return weights.error();
  auto device = OpenDevice(
      "cpu", {.precision = *precision, .threads = threads, .vector_weights = *weights}, gemm_table);
  if (!device) return device.error();
  WarnOfSlowGemm(gemm_table);
  WarnOfSlowPrecision(*precision, (*device)->caps());
  const BenchRun run{o, config, **device, gemm_table, SayProgress};
  nlohmann::json results = {
      {"model", std::string(config.name)}, {"threads", threads}, {"config", train::ToJson(config)}};
  for (const BenchPart& part : kParts) {
    if (o.what != "all" && o.what != part.name) continue;
    auto figures = part.run(run);
    if (!figures) return figures.error();
    results[std::string(part.name)] = std::move(*figures);
  }
  return o.json.empty() ? Status() : WriteFileAtomically(o.json, results.dump(2) + "\n");
}

}  // namespace

void AddBenchCommand(CLI::App& app, CommandContext& context) {
  auto options = std::make_shared<BenchOptions>();
  CLI::App* command = app.add_subcommand("bench",
                                         "Measures this model's kernels, products, training step "
                                         "and generation against the machine, or "
                                         "(ane) a Neural Engine");
  command->add_option("WHAT", options->what, PartNames("|"))->capture_default_str();
  command->add_option("--from", options->from,
                      "generate: a model to measure with (default: this one, random weights)");
  command->add_option("--json", options->json, "Write all numbers to this file as well");
  command->add_option("--seconds", options->seconds, "Time for each measurement, about")
      ->capture_default_str();
  command
      ->add_option("--vocab-rows", options->vocab_rows,
                   "Embedding rows, as compaction leaves them (the default: TinyStories)")
      ->capture_default_str();
  command->add_option("--lengths", options->lengths, "sequence: tokens of the sequences to measure")
      ->delimiter(',')
      ->capture_default_str();
  command->add_option("--precision", options->precision, "step, kernels: fp32|bf16|int8")
      ->capture_default_str();
  command
      ->add_option("--weights", options->weights,
                   "generate: fp32|bf16|int8, how the weights are read")
      ->capture_default_str();
  command->add_flag("--full", options->full, "Steps with 9216 rows and the full vocabulary too");
  command
      ->add_option("--gemm-table", options->gemm_table,
                   "fixed|tuned|FILE: which implementation carries out which product")
      ->capture_default_str();
  command->add_flag("--tune", options->tune,
                    "gemm: find the fastest implementation of each product, and write it to the "
                    "file of --gemm-table (default: this machine's tuned one)");
  command->add_option("--threads", options->threads, "Threads (0: all cores)")
      ->capture_default_str();
  AddAneFlags(*command, options->ane);
  command->add_option("--contributor", options->contributor,
                      "ane: who sends the file of --json, as it shall be named");
  command->callback([options, &context] {
    context.action = [options, &context] {
      const Status status = RunBench(*options, context.config);
      return status ? kExitDone : Report(status.error());
    };
  });
}

}  // namespace millwright::app
