// What a file or folder holds, in a few lines of text.
#pragma once

#include <string>

#include "base/result.h"
#include "model/config.h"

namespace millwright::app {

// A run folder, a training state, a Hugging Face folder, a tokenizer, a folder of MIL programs, or
// any file that DescribeFile knows. Lines end with a newline. Bad input where the path is missing,
// damaged, or none of these.
Result<std::string> Describe(const std::string& path);

// A safetensors file, a BLZT file, a MIL program, a MIL weight file, a token shard, a tokenizer, a
// config.json, or metrics.jsonl.
Result<std::string> DescribeFile(const std::string& path);

// "  network     dim 768, ..." and the number of parameters.
std::string DescribeConfig(const model::ModelConfig& config);

// One line of a description: a label and what belongs to it.
std::string DescriptionLine(std::string_view label, std::string_view text);

}  // namespace millwright::app
