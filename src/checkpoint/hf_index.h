// model.safetensors.index.json: which shard of a Hugging Face folder holds which tensor.
// {"metadata": {"total_size": bytes}, "weight_map": {tensor: file in the folder}}.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "base/result.h"

namespace millwright::checkpoint {

using HfWeightMap = std::map<std::string, std::string, std::less<>>;  // file by tensor

// Bad input, by file and reason: no JSON, a name twice, a file that is not a plain name of a
// safetensors file in the folder.
Result<HfWeightMap> ReadHfIndex(const std::string& path);

// The text of an index. `total_bytes` is the size of all tensors.
std::string ToHfIndex(const HfWeightMap& map, uint64_t total_bytes);

}  // namespace millwright::checkpoint
