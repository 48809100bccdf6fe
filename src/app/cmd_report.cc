// millwright report: a run folder as one page.
#include "app/command.h"
#include "app/report/report.h"

namespace millwright::app {

void AddReportCommand(CLI::App& app, CommandContext& context) {
  CLI::App* command = app.add_subcommand("report", "Write a run's report.html anew");
  auto run_dir = std::make_shared<std::string>();
  command->add_option("RUN_DIR", *run_dir, "The folder of a run, at any time of its life")
      ->required();
  command->callback([run_dir, &context] {
    context.action = [run_dir]() -> int {
      const auto path = report::WriteReport(*run_dir);
      if (!path) return Report(path.error());
      fmt::print("{}\n", *path);
      return kExitDone;
    };
  });
}

}  // namespace millwright::app
