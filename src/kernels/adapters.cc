#include "kernels/adapters.h"

#include "kernels/weight_role.h"

namespace millwright::kernels {

using model::LoraPart;

std::string AdapterName(std::string_view weight, LoraPart part) {
  return std::string(weight) + (part == LoraPart::kA ? "_a" : "_b");
}

std::string_view BaseWeight(const Operand& operand) {
  std::string_view name = operand.name;
  if (operand.part != LoraPart::kNone) name.remove_suffix(2);
  return name;
}

Operands WithAdapters(const KernelSpec& spec, Operands operands) {
  std::vector<Operand> adapters;
  for (const Operand& weight : operands.inputs) {
    if (!weight.weight) continue;
    const auto role = WeightRole(weight.name);
    if (!role || !spec.lora.Adapts(*role)) continue;
    for (const LoraPart part : {LoraPart::kA, LoraPart::kB}) {
      Operand adapter = weight;
      adapter.name = AdapterName(weight.name, part);
      adapter.part = part;
      (part == LoraPart::kA ? adapter.rows : adapter.columns) = spec.lora.rank;
      adapters.push_back(std::move(adapter));
    }
  }
  operands.inputs.insert(operands.inputs.end(), adapters.begin(), adapters.end());
  return operands;
}

}  // namespace millwright::kernels
