#include "device/ane/facts.h"

#include <algorithm>

#include "mil/ops/op.h"

namespace millwright::device::ane {

Facts::Facts(const mil::Program& program, const mil::Function& function, const Target& target)
    : program_(program),
      function_(function),
      target_(target),
      definitions_(mil::Definitions(function)),
      constant_(function.values.size(), false) {
  for (const mil::Operation& operation : function.operations) {
    const auto operands = Operands(operation);
    const bool known = operation.op == "const" || operation.op.starts_with("constexpr_") ||
                       (!operands.empty() && std::ranges::all_of(operands, [&](mil::ValueId value) {
                         return IsConstant(value);
                       }));
    for (mil::ValueId output : operation.outputs) constant_[static_cast<size_t>(output)] = known;
  }
}

const mil::Operation* Facts::Definition(mil::ValueId value) const {
  const int index = definitions_[static_cast<size_t>(value)];
  return index < 0 ? nullptr : &function_.operations[static_cast<size_t>(index)];
}

bool Facts::IsBlob(mil::ValueId value) const {
  const mil::Operation* definition = Definition(value);
  if (definition == nullptr || definition->op != "const") return false;
  const mil::Constant* constant = definition->FindAttribute("val");
  return constant != nullptr && constant->blob().has_value();
}

mil::ValueId Facts::Argument(const mil::Operation& operation, std::string_view key) const {
  const mil::Argument* argument = operation.FindArgument(key);
  if (argument == nullptr) return -1;
  const auto* value = std::get_if<mil::ValueId>(&argument->value);
  return value == nullptr ? -1 : *value;
}

std::vector<mil::ValueId> Facts::Operands(const mil::Operation& operation) const {
  std::vector<mil::ValueId> operands;
  for (const mil::Argument& argument : operation.arguments) {
    if (const auto* value = std::get_if<mil::ValueId>(&argument.value)) operands.push_back(*value);
    if (const auto* values = std::get_if<std::vector<mil::ValueId>>(&argument.value)) {
      operands.insert(operands.end(), values->begin(), values->end());
    }
  }
  return operands;
}

const mil::Constant* Facts::Immediate(const mil::Operation& operation, std::string_view key) const {
  const mil::Argument* argument = operation.FindArgument(key);
  if (argument == nullptr) return nullptr;
  const mil::Constant* constant = std::get_if<mil::Constant>(&argument->value);
  if (const auto* value = std::get_if<mil::ValueId>(&argument->value)) {
    const mil::Operation* definition = Definition(*value);
    if (definition != nullptr && definition->op == "const") {
      constant = definition->FindAttribute("val");
    }
  }
  return constant == nullptr || constant->blob().has_value() ? nullptr : constant;
}

std::optional<int64_t> Facts::Int(const mil::Operation& operation, std::string_view key) const {
  const mil::Constant* constant = Immediate(operation, key);
  if (constant == nullptr || constant->type().dtype == DType::kString ||
      constant->type().elements() != 1) {
    return std::nullopt;
  }
  return static_cast<int64_t>(constant->at(0));
}

std::vector<int64_t> Facts::Ints(const mil::Operation& operation, std::string_view key) const {
  const mil::Constant* constant = Immediate(operation, key);
  const bool numbers = constant != nullptr && constant->type().dtype != DType::kString;
  return numbers ? constant->ints() : std::vector<int64_t>();
}

std::optional<size_t> Facts::Axis(const mil::Operation& operation, size_t rank) const {
  const std::optional<int64_t> axis = Int(operation, "axis");
  if (!axis) return std::nullopt;
  const int64_t from_front = *axis < 0 ? *axis + static_cast<int64_t>(rank) : *axis;
  if (from_front < 0 || from_front >= static_cast<int64_t>(rank)) return std::nullopt;
  return static_cast<size_t>(from_front);
}

}  // namespace millwright::device::ane
