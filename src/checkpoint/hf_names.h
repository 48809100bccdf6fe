// The names of a Hugging Face folder, shared by its reader and writer.
#pragma once

namespace millwright::checkpoint {

inline constexpr const char* kHfConfigFile = "config.json";
inline constexpr const char* kHfGenerationConfigFile = "generation_config.json";
inline constexpr const char* kHfModelFile = "model.safetensors";
inline constexpr const char* kHfIndexFile = "model.safetensors.index.json";
inline constexpr const char* kHfClassifier = "lm_head.weight";
inline constexpr const char* kHfEmbedding = "model.embed_tokens.weight";

}  // namespace millwright::checkpoint
