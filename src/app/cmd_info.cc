// millwright info: what a file or folder holds.
#include "app/command.h"
#include "app/describe.h"

namespace millwright::app {

void AddInfoCommand(CLI::App& app, CommandContext& context) {
  auto path = std::make_shared<std::string>();
  CLI::App* command = app.add_subcommand(
      "info", "Says what a run, state, model, token shard, tokenizer or MIL file holds");
  command->add_option("PATH", *path, "A file or folder")->required();
  command->callback([path, &context] {
    context.action = [path] {
      const auto text = Describe(*path);
      if (!text) return Report(text.error());
      fmt::print("{}", *text);
      return kExitDone;
    };
  });
}

}  // namespace millwright::app
