// What every command shares: how it registers, and how it ends.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>

#include "base/result.h"
#include "model/config.h"

namespace millwright::app {

inline constexpr int kExitDone = 0;
inline constexpr int kExitFailed = 1;
inline constexpr int kExitBadInput = 2;
inline constexpr int kExitInterrupted = 130;

// Given to each command when it registers. `config` is the model of this binary, `program` what it
// was started as.
struct CommandContext {
  const model::ModelConfig& config;
  std::string program;
  // Set by the command that was named on the command line; returns the exit code.
  std::function<int()> action;
};

// Prints "millwright: message" to stderr; the exit code that belongs to the error.
int Report(const Error& error);

// Each in cmd_<name>.cc: adds the sub-command with its flags to `app`.
#define COMMAND(name, Name) void Add##Name##Command(CLI::App& app, CommandContext& context);
#include "app/commands.def"
#undef COMMAND

}  // namespace millwright::app
