// The table of GEMM choices as JSON, in the training state and in the file of a tuned machine.
#pragma once

#include <nlohmann/json.hpp>

#include "base/result.h"
#include "math/gemm_table.h"

namespace millwright::train {

// A list with one object a product: {"m": 768, "n": 256, "k": 768, "transpose_a": false,
// "transpose_b": false, "kind": "sgemm"}.
nlohmann::json ToJson(const math::GemmTable& table);

// Bad input names the entry, and what is wrong with it: a field that is missing or of another type,
// a size below 1, an unknown kind, a product that is listed twice.
Result<math::GemmTable> GemmTableFromJson(const nlohmann::json& list);

// The table of a training state's meta data; empty in states from before there were tables.
Result<math::GemmTable> GemmTableFromMeta(const nlohmann::json& meta);

}  // namespace millwright::train
