// millwright bench: products, kernels, whole steps and generation against the machine's ceilings.
#include <filesystem>
#include <set>

#include "app/bench_gemm.h"
#include "app/bench_generate.h"
#include "app/bench_kernels.h"
#include "app/bench_step.h"
#include "app/command.h"
#include "app/open_device.h"
#include "app/stored_model.h"
#include "base/atomic_file.h"
#include "base/threads.h"
#include "checkpoint/folder.h"

namespace millwright::app {
namespace {

struct BenchOptions {
  std::string what = "all";
  std::string json, from;
  double seconds = 10;
  int64_t vocab_rows = 6839;  // the words of TinyStories' training shard that have a row
  bool full = false;
  int threads = 0;

  bool Wants(std::string_view part) const { return what == "all" || what == part; }
};

Status Check(const BenchOptions& o) {
  static const std::set<std::string> kParts = {"gemm", "kernels", "step", "generate", "all"};
  if (!kParts.contains(o.what)) {
    return BadInput("bench {}: expected gemm, kernels, step, generate or all", o.what);
  }
  if (!(o.seconds > 0)) return BadInput("--seconds {}: is not positive", o.seconds);
  if (o.vocab_rows < 2) return BadInput("--vocab-rows {}: at least 2 are needed", o.vocab_rows);
  if (o.threads < 0) return BadInput("--threads {}: is negative", o.threads);
  std::error_code ignored;
  const std::string parent = checkpoint::ParentFolder(o.json);
  if (!o.json.empty() && !std::filesystem::is_directory(parent, ignored)) {
    return BadInput("--json {}: there is no folder {}", o.json, parent);
  }
  return {};
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

// With --from that model, else the one that was built.
Result<GenerateBench> RunBenchGenerate(device::Device& device, const BenchOptions& o,
                                       const model::ModelConfig& config, const Progress& progress) {
  if (o.from.empty()) return BenchGenerate(device, config, nullptr, o.seconds, progress);
  const auto model = OpenStoredModel(o.from);
  if (!model) return model.error().In("--from");
  return BenchGenerate(device, model->config, OrdinaryWeights(*model), o.seconds, progress);
}

void Show(const std::string& text) {
  fmt::print("{}", text);
  std::fflush(stdout);
}

Status RunBench(const BenchOptions& o, const model::ModelConfig& config) {
  if (auto status = Check(o); !status) return status;
  const int threads = SetThreads(o.threads);
  auto device = OpenDevice("cpu", {.threads = threads});
  if (!device) return device.error();
  const Progress progress = [](const std::string& text) { fmt::print(stderr, "{}\n", text); };
  nlohmann::json results = {{"model", std::string(config.name)}, {"threads", threads}};
  if (o.Wants("gemm")) {
    const GemmBench bench =
        BenchGemm(config, std::min(o.vocab_rows, config.vocab), o.seconds, progress);
    Show(ToText(bench));
    results["gemm"] = ToJson(bench);
  }
  if (o.Wants("kernels")) {
    auto bench = BenchKernels(**device, config, o.seconds, progress);
    if (!bench) return bench.error();
    Show(ToText(*bench));
    results["kernels"] = ToJson(*bench);
  }
  for (int64_t rows : o.Wants("step") ? RowCounts(o, config.vocab) : std::vector<int64_t>()) {
    auto bench = BenchStep(**device, config, rows, o.seconds, progress);
    if (!bench) return bench.error();
    Show(ToText(*bench));
    results["step"].push_back(ToJson(*bench));
  }
  if (o.Wants("generate")) {
    auto bench = RunBenchGenerate(**device, o, config, progress);
    if (!bench) return bench.error();
    Show(ToText(*bench));
    results["generate"] = ToJson(*bench);
  }
  return o.json.empty() ? Status() : WriteFileAtomically(o.json, results.dump(2) + "\n");
}

}  // namespace

void AddBenchCommand(CLI::App& app, CommandContext& context) {
  auto options = std::make_shared<BenchOptions>();
  CLI::App* command = app.add_subcommand(
      "bench",
      "Measures this model's products, kernels, training step and generation against the machine");
  command->add_option("WHAT", options->what, "gemm|kernels|step|generate|all")
      ->capture_default_str();
  command->add_option("--from", options->from,
                      "generate: a model to measure with (default: this one, random weights)");
  command->add_option("--json", options->json, "Write all numbers to this file as well");
  command->add_option("--seconds", options->seconds, "Time for each measurement, about")
      ->capture_default_str();
  command
      ->add_option("--vocab-rows", options->vocab_rows,
                   "Embedding rows, as compaction leaves them (the default: TinyStories)")
      ->capture_default_str();
  command->add_flag("--full", options->full, "Steps with 9216 rows and the full vocabulary too");
  command->add_option("--threads", options->threads, "Threads (0: all cores)")
      ->capture_default_str();
  command->callback([options, &context] {
    context.action = [options, &context] {
      const Status status = RunBench(*options, context.config);
      return status ? kExitDone : Report(status.error());
    };
  });
}

}  // namespace millwright::app
