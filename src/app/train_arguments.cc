#include "app/train_arguments.h"

#include <algorithm>

namespace millwright::app {

PassedTrainFlags::PassedTrainFlags(CLI::App& command, const model::ModelConfig& config) {
  const std::vector<CLI::Option*> before = command.get_options();
  flags_ = AddTrainFlags(command, config);
  for (CLI::Option* option : command.get_options()) {
    if (std::ranges::find(before, option) != before.end()) continue;
    option->group("");  // hides it
    options_.push_back(option);
  }
}

std::vector<std::string> PassedTrainFlags::Arguments() const {
  std::vector<std::string> arguments;
  for (const CLI::Option* option : options_) {
    if (option->count() == 0) continue;
    const std::string name = "--" + option->get_lnames().front();
    if (option->get_expected_max() == 0) {
      arguments.push_back(name);
      continue;
    }
    for (const std::string& value : option->results()) {
      arguments.push_back(name);
      arguments.push_back(value);
    }
  }
  return arguments;
}

Result<TrainFlags> ParseTrainArguments(std::vector<std::string> arguments,
                                       const model::ModelConfig& config) {
  CLI::App train("", "train");
  const auto flags = AddTrainFlags(train, config);
  std::ranges::reverse(arguments);  // as CLI11 wants them
  try {
    train.parse(arguments);
  } catch (const CLI::ParseError& error) {
    const std::vector<std::string> unknown = train.remaining();
    if (unknown.empty()) return BadInput("train: {}", error.what());
    return BadInput("train: {} is not known", unknown.front());
  }
  auto status = FinishTrainFlags(train, *flags);
  if (!status) return status.error();
  return *flags;
}

}  // namespace millwright::app
