// Which tensors a run leaves as they are.
#pragma once

#include <span>
#include <string>

#include "base/result.h"
#include "model/config.h"
#include "model/tensors.h"

namespace millwright::train {

// Whether a pattern matches the tensor's Hugging Face name, with or without its "model."; a LoRA
// adapter is never frozen.
// Patterns are those of file names (POSIX fnmatch): * any text, ? one character, [0-5] one of
// these.
bool IsFrozen(std::span<const std::string> patterns, const model::TensorSpec& spec);

// Bad input, by --freeze: a pattern that matches no tensor of `config`; patterns that together
// leave nothing to train.
Status CheckFreeze(std::span<const std::string> patterns, const model::ModelConfig& config);

}  // namespace millwright::train
