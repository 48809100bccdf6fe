#include "inspect/run_values.h"

#include <algorithm>
#include <utility>

#include "inspect/bound_program.h"

namespace millwright::inspect {
namespace {

using device::ArrayPtr;

ArrayPtr Share(mil::Array array) { return std::make_shared<const mil::Array>(std::move(array)); }

// Runs `program`, whose function is that of `source` with other outputs; the outputs' values.
Result<std::vector<ArrayPtr>> RunOnce(const RunSource& source, const mil::Program& program) {
  auto bound = BoundProgram::Create(source.device, program, source.weights);
  if (!bound) return bound.error();
  for (size_t i = 0; i < source.inputs.size(); ++i) {
    if (Status status = bound->SetInput(i, source.inputs[i]); !status) return status.error();
  }
  if (Status status = bound->Run(); !status) return status.error();
  std::vector<ArrayPtr> outputs;
  for (size_t i = 0; i < program.main().outputs.size(); ++i) {
    auto output = bound->Output(i);
    if (!output) return output.error();
    outputs.push_back(Share(*std::move(output)));
  }
  return outputs;
}

// The values that `source`'s program computes and does not return.
std::vector<mil::ValueId> Intermediates(const mil::Function& function) {
  std::vector<mil::ValueId> values;
  for (const mil::Operation& operation : function.operations) {
    if (!RunsAtRunTime(operation)) continue;
    for (const mil::ValueId value : operation.outputs) {
      const auto& outputs = function.outputs;
      if (std::find(outputs.begin(), outputs.end(), value) == outputs.end()) {
        values.push_back(value);
      }
    }
  }
  return values;
}

}  // namespace

bool RunsAtRunTime(const mil::Operation& operation) {
  return operation.op != "const" && !operation.op.starts_with("constexpr_");
}

std::string OperationName(const mil::Function& function, const mil::Operation& operation) {
  return fmt::format("{} ({})", operation.op, function.value(operation.outputs.front()).id);
}

RunValues WithConstants(const device::Evaluator& evaluator, const RunValues& values) {
  RunValues all = values;
  for (size_t i = 0; i < all.size(); ++i) {
    if (all[i] == nullptr) all[i] = evaluator.constants()[i];
  }
  return all;
}

Result<RunValues> EvaluatorValues(const device::Evaluator& evaluator,
                                  std::span<const std::vector<double>> inputs) {
  const mil::Function& function = evaluator.function();
  const Numerics& numerics = evaluator.numerics();
  RunValues all(function.values.size());
  std::vector<ArrayPtr> arrays;
  for (size_t i = 0; i < inputs.size(); ++i) {
    mil::Array array{function.value(function.inputs[i]).type, inputs[i]};
    for (double& element : array.data) element = numerics.Round(element, array.type.dtype);
    arrays.push_back(Share(std::move(array)));
    all[static_cast<size_t>(function.inputs[i])] = arrays.back();
  }
  const auto keep = [&](const mil::Operation& operation, std::span<const ArrayPtr> values) {
    for (const mil::ValueId value : operation.outputs) {
      all[static_cast<size_t>(value)] = values[static_cast<size_t>(value)];
    }
    return Status();
  };
  const auto outputs = evaluator.Run(std::move(arrays), keep);
  if (!outputs) return outputs.error();
  return all;
}

Result<RunValues> DeviceValues(const RunSource& source) {
  mil::Program program = source.program;
  mil::Function& function = program.functions.front();
  const std::vector<mil::ValueId> returned = function.outputs;
  RunValues all(function.values.size());
  for (size_t i = 0; i < source.inputs.size(); ++i) {
    const mil::ValueId input = function.inputs[i];
    all[static_cast<size_t>(input)] =
        Share(mil::Array{function.value(input).type, source.inputs[i]});
  }
  const auto outputs = RunOnce(source, program);
  if (!outputs) return outputs.error();
  for (size_t i = 0; i < returned.size(); ++i) {
    all[static_cast<size_t>(returned[i])] = (*outputs)[i];
  }
  for (const mil::ValueId value : Intermediates(function)) {
    function.outputs = returned;
    function.outputs.push_back(value);
    const auto shown = RunOnce(source, program);
    if (!shown) return shown.error().In(fmt::format("showing '{}'", function.value(value).id));
    all[static_cast<size_t>(value)] = shown->back();
  }
  return all;
}

Result<RunValues> ValuesOf(const RunSource& source, Precision precision) {
  if (source.device.name() != "reference") return DeviceValues(source);
  const auto evaluator =
      device::Evaluator::Create(source.program.main(), source.weights, Numerics(precision));
  if (!evaluator) return evaluator.error();
  return EvaluatorValues(*evaluator, source.inputs);
}

}  // namespace millwright::inspect
