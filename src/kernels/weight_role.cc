#include "kernels/weight_role.h"

#include <utility>

namespace millwright::kernels {

std::optional<model::TensorRole> WeightRole(std::string_view name) {
  using model::TensorRole;
  static constexpr std::pair<std::string_view, TensorRole> kRoles[] = {
      {"wq", TensorRole::kWq}, {"wk", TensorRole::kWk},        {"wv", TensorRole::kWv},
      {"wo", TensorRole::kWo}, {"w1", TensorRole::kW1},        {"w2", TensorRole::kW2},
      {"w3", TensorRole::kW3}, {"q_norm", TensorRole::kQNorm}, {"k_norm", TensorRole::kKNorm},
  };
  for (const auto& [operand, role] : kRoles) {
    if (operand == name) return role;
  }
  return std::nullopt;
}

}  // namespace millwright::kernels
