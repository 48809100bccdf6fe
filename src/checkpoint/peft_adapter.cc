#include "checkpoint/peft_adapter.h"

#include <nlohmann/json.hpp>

#include "base/folder.h"
#include "model/rotary_layout.h"

namespace millwright::checkpoint {
namespace {

using model::RotaryLayout;
using model::TensorSpec;
using nlohmann::json;

std::string ConfigText(const model::LoraConfig& lora, const PeftExport& options) {
  json targets = json::array();
  for (const model::TensorRole role : lora.targets) targets.push_back(model::ProjectionName(role));
  const json config = {{"peft_type", "LORA"},
                       {"task_type", "CAUSAL_LM"},
                       {"base_model_name_or_path", options.base_model},
                       {"r", lora.rank},
                       {"lora_alpha", lora.alpha},
                       {"target_modules", targets},
                       {"lora_dropout", 0.0},
                       {"bias", "none"},
                       {"fan_in_fan_out", false},
                       {"use_rslora", false},
                       {"init_lora_weights", true},
                       {"inference_mode", true}};
  return config.dump(2) + "\n";
}

Status WriteTensors(const std::string& path, const model::ModelConfig& config,
                    const std::vector<TensorSpec>& table, const TensorSource& source) {
  std::vector<TensorInfo> infos;
  infos.reserve(table.size());
  for (const TensorSpec& spec : table) {
    infos.push_back({"base_model.model." + spec.name, DType::kFp32, spec.shape});
  }
  auto writer = SafetensorsWriter::Create(path, std::move(infos), {{"format", "pt"}});
  if (!writer) return writer.error();
  std::vector<float> tensor;
  for (const TensorSpec& spec : table) {
    tensor.resize(static_cast<size_t>(NumElements(spec.shape)));
    if (auto status = source(spec, tensor); !status) return status;
    model::ConvertRotary(config, spec, config.rotary, RotaryLayout::kHalfSplit, tensor);
    if (auto status = writer->Append(tensor); !status) return status;
  }
  const auto digest = writer->Finish();
  return digest ? Status() : Status(digest.error());
}

}  // namespace

Status WritePeftFolder(const std::string& dir, const model::ModelConfig& config,
                       const model::LoraConfig& lora, const TensorSource& source,
                       const PeftExport& options) {
  auto folder = FolderWriter::Create(dir);
  if (!folder) return folder.error();
  auto status = WriteFile(folder->File("adapter_config.json"), ConfigText(lora, options));
  if (status) {
    status = WriteTensors(folder->File("adapter_model.safetensors"), config,
                          model::AdapterTable(config, lora), source);
  }
  return status ? folder->Commit() : status;
}

}  // namespace millwright::checkpoint
