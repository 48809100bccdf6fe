// LoRA adapters in the format of Hugging Face's PEFT: a folder with adapter_config.json and
// adapter_model.safetensors.
#pragma once

#include <string>

#include "base/result.h"
#include "checkpoint/hf_folder.h"
#include "model/lora.h"

namespace millwright::checkpoint {

struct PeftExport {
  std::string base_model;  // where the base comes from: base_model_name_or_path
};

// Writes `dir` as a whole or not at all, over an earlier one, in fp32. `source` yields the tensors
// of AdapterTable(config, lora). Keys: "base_model.model." and the tensor's name. B of q_proj and
// k_proj is permuted exactly to Hugging Face's half-split rotary layout. The parent folder must
// exist. Loads with PeftModel.from_pretrained over the base model.
Status WritePeftFolder(const std::string& dir, const model::ModelConfig& config,
                       const model::LoraConfig& lora, const TensorSource& source,
                       const PeftExport& options);

}  // namespace millwright::checkpoint
