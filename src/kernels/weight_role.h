// Which parameter stands behind a kernel's weight operand.
#pragma once

#include <optional>
#include <string_view>

#include "model/tensors.h"

namespace millwright::kernels {

// The role of operand `name` ("wq", "q_norm", ...); nothing for an activation.
std::optional<model::TensorRole> WeightRole(std::string_view name);

}  // namespace millwright::kernels
