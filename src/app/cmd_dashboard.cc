// millwright dashboard: watches a run, and starts it where flags of train are given.
#include <cstdio>
#include <filesystem>

#include "app/command.h"
#include "app/dashboard/run_process.h"
#include "app/dashboard/terminal/locale_charset.h"
#include "app/dashboard/terminal/snapshot.h"
#include "app/dashboard/terminal/terminal_dashboard.h"
#include "app/dashboard/web/serve.h"
#include "app/interrupt.h"
#include "app/train_arguments.h"

namespace millwright::app {
namespace {

namespace fs = std::filesystem;

using dashboard::RunPlan;
using dashboard::RunProcess;

struct DashboardFlags {
  std::vector<std::string> words;  // run folders, then what followed `--`
  std::string never;               // see AddDashboardCommand
  bool web = false, once = false, ascii = false, dynamic = false, fixed = false;
  std::string snapshot;
  web::ServeOptions serve;
};

struct DashboardPlan {
  std::vector<std::string> run_dirs;  // one at least
  std::optional<RunPlan> run;         // to be started, in the only run_dir
};

// A word that begins with a dash was not taken for a flag, so it stood after `--`.
void SplitWords(const std::vector<std::string>& words, std::vector<std::string>& run_dirs,
                std::vector<std::string>& train) {
  const auto first_flag =
      std::ranges::find_if(words, [](const std::string& word) { return word.starts_with('-'); });
  run_dirs.assign(words.begin(), first_flag);
  train.insert(train.end(), first_flag, words.end());
}

Result<RunPlan> PlanRun(std::vector<std::string> arguments,
                        const std::vector<std::string>& run_dirs,
                        const model::ModelConfig& config) {
  if (run_dirs.size() > 1) {
    return BadInput("dashboard: starts one run, not {} ({}, {})", run_dirs.size(), run_dirs[0],
                    run_dirs[1]);
  }
  auto flags = ParseTrainArguments(arguments, config);
  if (!flags) return flags.error();
  const bool names_out = flags->given.contains("out");
  if (names_out && !run_dirs.empty() && run_dirs[0] != flags->out) {
    return BadInput("dashboard: --out {} contradicts the run folder {}", flags->out, run_dirs[0]);
  }
  const std::string run_dir = run_dirs.empty() ? flags->out : run_dirs[0];
  if (!names_out) arguments.insert(arguments.end(), {"--out", run_dir});
  return RunPlan{run_dir, std::move(arguments)};
}

Result<DashboardPlan> MakePlan(const DashboardFlags& flags, std::vector<std::string> train,
                               const model::ModelConfig& config) {
  DashboardPlan plan;
  SplitWords(flags.words, plan.run_dirs, train);
  if (flags.dynamic) train.insert(train.end(), {"--binding", "packed"});
  if (flags.fixed) train.insert(train.end(), {"--binding", "constant"});
  if (!train.empty()) {
    auto run = PlanRun(std::move(train), plan.run_dirs, config);
    if (!run) return run.error();
    plan.run = *std::move(run);
    plan.run_dirs = {plan.run->run_dir};
  }
  if (plan.run_dirs.empty()) plan.run_dirs = {fmt::format("runs/{}", config.name)};
  for (const std::string& dir : plan.run_dirs) {
    std::error_code ignored;
    if (fs::exists(dir, ignored) && !fs::is_directory(dir, ignored)) {
      return BadInput("dashboard: {} is not a run folder", dir);
    }
  }
  return plan;
}

// One screen as text.
Result<int> PrintSnapshot(const DashboardFlags& flags, const DashboardPlan& plan) {
  if (plan.run) return BadInput("dashboard: --once only shows a run; start it with train");
  auto size = flags.snapshot.empty() ? Result<dashboard::Size>(dashboard::OutputSize())
                                     : dashboard::ParseSize(flags.snapshot);
  if (!size) return size.error();
  const bool ascii = !dashboard::AdoptCharset() || flags.ascii;
  const auto text = dashboard::Snapshot(plan.run_dirs[0], *size, ascii);
  if (!text) return text.error();
  fmt::print("{}", *text);
  return kExitDone;
}

// The run that was started goes on for as long as the page is served.
Result<int> ServeWeb(const DashboardFlags& flags, const DashboardPlan& plan) {
  const std::atomic<bool>& stop = CatchInterrupts();
  std::unique_ptr<RunProcess> run;
  if (plan.run) {
    auto started = RunProcess::Start(*plan.run);
    if (!started) return started.error();
    run = *std::move(started);
  }
  web::ServeOptions options = flags.serve;
  options.run_dirs = plan.run_dirs;
  auto status = web::Serve(options, stop, [](const web::ServedAt& at) {
    if (!at.warning.empty()) fmt::print(stderr, "{}\n", at.warning);
    fmt::print("{}\n", at.url);
    std::fflush(stdout);
  });
  if (run != nullptr && !run->Poll()) {
    fmt::print(stderr, "waiting until the run in {} has saved its state\n", plan.run->run_dir);
    run->StopAndSave();
    while (!run->WaitFor(1)) {
    }
  }
  if (!status) return status.error();
  return kExitDone;
}

Result<int> RunDashboard(const DashboardFlags& flags, std::vector<std::string> train,
                         const model::ModelConfig& config) {
  auto plan = MakePlan(flags, std::move(train), config);
  if (!plan) return plan.error();
  if (flags.web) return ServeWeb(flags, *plan);
  if (plan->run_dirs.size() > 1) {
    return BadInput("dashboard: the terminal shows one run, not {}; --web compares several",
                    plan->run_dirs.size());
  }
  if (flags.once || !flags.snapshot.empty()) return PrintSnapshot(flags, *plan);
  return dashboard::RunTerminalDashboard(
      {.run_dir = plan->run_dirs[0], .plan = plan->run, .ascii = flags.ascii});
}

}  // namespace

void AddDashboardCommand(CLI::App& app, CommandContext& context) {
  auto flags = std::make_shared<DashboardFlags>();
  CLI::App* command = app.add_subcommand("dashboard", "Watch a run, or start one and watch it");
  command->footer(
      "With flags of train (dashboard --scratch --lr 1e-3, or dashboard -- --scratch --lr 1e-3)\n"
      "it starts that run and shows it.");
  command->add_option("RUN_DIR", flags->words, "Run folders (default: runs/<model>)");
  // CLI11 obeys `--` only before a positional that has no word yet. The first one takes them all.
  command->add_option("TRAIN_FLAGS", flags->never, "After --: flags of train, which start a run");
  command->add_flag("--web", flags->web, "Serve a page instead of using the terminal");
  command
      ->add_option(
          "--bind", flags->serve.bind,
          "With --web: the address that it listens on. Without it only this machine sees the page")
      ->capture_default_str();
  command
      ->add_option("--port", flags->serve.port, "With --web: the port, or 0 for one that is free")
      ->check(CLI::Range(0, 65535))
      ->capture_default_str();
  command->add_flag("--once", flags->once, "Print one screen as text, and end");
  command->add_option("--snapshot", flags->snapshot,
                      "The same, of so many columns and rows, like 120x40");
  command->add_flag("--ascii", flags->ascii, "Draw with ASCII characters only");
  auto* dynamic = command->add_flag("--dynamic", flags->dynamic, "Train with --binding packed");
  command->add_flag("--static", flags->fixed, "Train with --binding constant")->excludes(dynamic);
  auto train = std::make_shared<PassedTrainFlags>(*command, context.config);
  command->callback([flags, train, &context] {
    context.action = [flags, train, &context]() -> int {
      auto result = RunDashboard(*flags, train->Arguments(), context.config);
      return result ? *result : Report(result.error());
    };
  });
}

}  // namespace millwright::app
