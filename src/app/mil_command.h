// What follows "millwright mil": one sub-command a file.
#pragma once

#include "app/command.h"

namespace millwright::app {

// Each in mil_<name>.cc: adds the sub-command with its flags to `mil`.
#define MIL_COMMAND(name, Name) void AddMil##Name##Command(CLI::App& mil, CommandContext& context);
#include "app/mil_commands.def"
#undef MIL_COMMAND

}  // namespace millwright::app
