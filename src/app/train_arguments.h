// The flags of `millwright train` as text, for a command that starts a training process.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "app/train_flags.h"

namespace millwright::app {

// The flags of train among those of another command, which takes them and hands them on.
class PassedTrainFlags {
 public:
  // Adds all of train's flags to `command`, not named by its --help.
  PassedTrainFlags(CLI::App& command, const model::ModelConfig& config);

  // After parsing: those that were given, as they would stand after `train`.
  std::vector<std::string> Arguments() const;

 private:
  std::shared_ptr<TrainFlags> flags_;  // what the options write to
  std::vector<const CLI::Option*> options_;
};

// What `train ARGUMENTS` would make of its flags; bad input as train itself says it.
Result<TrainFlags> ParseTrainArguments(std::vector<std::string> arguments,
                                       const model::ModelConfig& config);

}  // namespace millwright::app
