// millwright's command line: one sub-command a file, exit codes in one place.
#pragma once

#include "model/config.h"

namespace millwright::app {

// Parses the arguments and runs the command. `config` is the model this binary was built for;
// commands that open a checkpoint use that checkpoint's own. Returns the exit code: 0 done, 1
// failed, 2 bad usage or bad input, 130 interrupted with the state saved.
int RunCommandLine(int argc, char** argv, const model::ModelConfig& config);

}  // namespace millwright::app
