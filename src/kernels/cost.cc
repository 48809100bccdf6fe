#include "kernels/kernel.h"

namespace millwright::kernels {
namespace {

const mil::Type& ArgumentType(const mil::Function& function, const mil::Operation& operation,
                              std::string_view key) {
  return function.value(std::get<mil::ValueId>(operation.FindArgument(key)->value)).type;
}

bool ConstantFlag(const mil::Function& function, const mil::Operation& operation,
                  std::string_view key) {
  const mil::Argument* argument = operation.FindArgument(key);
  if (argument == nullptr) return false;
  const auto id = std::get<mil::ValueId>(argument->value);
  for (const mil::Operation& candidate : function.operations) {
    if (candidate.op == "const" && candidate.outputs.front() == id) {
      return candidate.FindAttribute("val")->as_bool();
    }
  }
  return false;
}

// Multiply-adds times two: each output element of a product sums over its inner dimension.
double Flops(const mil::Function& function, const mil::Operation& operation) {
  if (operation.op != "matmul" && operation.op != "conv") return 0;
  const double outputs =
      static_cast<double>(function.value(operation.outputs.front()).type.elements());
  if (operation.op == "conv") {
    const Shape& weight = ArgumentType(function, operation, "weight").shape;
    return 2 * outputs * static_cast<double>(weight[1] * weight[2] * weight[3]);
  }
  const Shape& x = ArgumentType(function, operation, "x").shape;
  const bool transposed = ConstantFlag(function, operation, "transpose_x");
  return 2 * outputs * static_cast<double>(x[x.size() - (transposed ? 2 : 1)]);
}

}  // namespace

KernelCost CostOf(const KernelProgram& program) {
  KernelCost cost;
  const mil::Function& function = program.program.main();
  for (const mil::Operation& operation : function.operations) {
    cost.flops += Flops(function, operation);
    // Constants in weight files are read once a launch.
    const mil::Constant* value = operation.FindAttribute("val");
    if (value != nullptr && value->blob()) cost.bytes += static_cast<double>(value->type().bytes());
  }
  for (const auto* ports : {&program.inputs, &program.outputs}) {
    for (const Port& port : *ports) cost.bytes += static_cast<double>(port.type.bytes());
  }
  return cost;
}

}  // namespace millwright::kernels
