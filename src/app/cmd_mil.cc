// millwright mil: checks, prints and runs programs in MIL.
#include "app/command.h"
#include "app/mil_command.h"

namespace millwright::app {

void AddMilCommand(CLI::App& app, CommandContext& context) {
  CLI::App* mil = app.add_subcommand("mil", "Checks, prints, runs and compares programs in MIL");
  mil->require_subcommand(1);
#define MIL_COMMAND(name, Name) AddMil##Name##Command(*mil, context);
#include "app/mil_commands.def"
#undef MIL_COMMAND
}

}  // namespace millwright::app
