#include "device/reference/evaluator.h"

#include <algorithm>
#include <ranges>
#include <utility>

#include "base/threads.h"

namespace millwright::device {
namespace {

constexpr int64_t kRoundGrain = 8192;

// The elements of `constant`; empty for a string.
Result<ArrayPtr> LoadConstant(const mil::Constant& constant, const mil::WeightStore& weights) {
  const mil::Type& type = constant.type();
  if (type.dtype == DType::kString) {
    return std::make_shared<const mil::Array>(mil::Array{type, {}});
  }
  // The files of public programs carry malformed records; the program's types say what is meant.
  const Result<std::span<const std::byte>> bytes = weights.Read(constant, /*lenient=*/true);
  if (!bytes) return bytes.error();
  mil::Array array{type, std::vector<double>(static_cast<size_t>(type.elements()))};
  for (size_t i = 0; i < array.data.size(); ++i) {
    array.data[i] = LoadElement(type.dtype, bytes->data(), i);
  }
  return std::make_shared<const mil::Array>(std::move(array));
}

bool IsConstexpr(const mil::Operation& operation) { return operation.op.starts_with("constexpr_"); }

// Calls fn(value) for every value that `operation` reads.
template <class Fn>
void ForEachOperand(const mil::Operation& operation, const Fn& fn) {
  for (const mil::Argument& argument : operation.arguments) {
    if (const auto* value = std::get_if<mil::ValueId>(&argument.value)) fn(*value);
    if (const auto* values = std::get_if<std::vector<mil::ValueId>>(&argument.value)) {
      for (mil::ValueId value : *values) fn(value);
    }
  }
}

// The string that defines `value`, if one does.
const std::string* FindText(const std::map<mil::ValueId, std::string>& texts, mil::ValueId value) {
  const auto it = texts.find(value);
  return it == texts.end() ? nullptr : &it->second;
}

}  // namespace

Result<Evaluator> Evaluator::Create(const mil::Function& function, const mil::WeightStore& weights,
                                    Numerics numerics) {
  Evaluator evaluator(function, numerics);
  if (Status status = evaluator.LoadConstants(weights); !status) {
    return status.error().In(function.name);
  }
  evaluator.PlanFrees();
  return evaluator;
}

Status Evaluator::LoadLiterals(const mil::Operation& operation, const mil::WeightStore& weights) {
  const auto load = [&](const mil::Constant& constant) -> Status {
    Result<ArrayPtr> array = LoadConstant(constant, weights);
    if (!array) {
      return array.error().In(
          fmt::format("{} ({})", operation.op, function_->value(operation.outputs.front()).id));
    }
    literals_[&constant] = *std::move(array);
    return {};
  };
  for (const mil::Argument& argument : operation.arguments) {
    if (const auto* literal = std::get_if<mil::Constant>(&argument.value)) {
      if (Status status = load(*literal); !status) return status;
    }
  }
  for (const mil::Attribute& attribute : operation.attributes) {
    if (attribute.key == "name") continue;
    if (Status status = load(attribute.value); !status) return status;
  }
  return {};
}

Status Evaluator::LoadConstants(const mil::WeightStore& weights) {
  constants_.resize(function_->values.size());
  for (const mil::Operation& operation : function_->operations) {
    if (Status status = LoadLiterals(operation, weights); !status) return status;
    if (operation.op == "const") {
      const mil::Constant& constant = *operation.FindAttribute("val");
      constants_[static_cast<size_t>(operation.outputs.front())] = literals_.at(&constant);
      if (constant.type().dtype == DType::kString) {
        texts_[operation.outputs.front()] = constant.as_string();
      }
      continue;
    }
    if (IsConstexpr(operation)) {
      if (Status status = RunOperation(operation, &constants_); !status) return status;
    } else {
      steps_.push_back({.operation = &operation});
    }
  }
  return {};
}

void Evaluator::PlanFrees() {
  std::vector<bool> needed(function_->values.size(), false);
  for (mil::ValueId output : function_->outputs) needed[static_cast<size_t>(output)] = true;
  for (Step& step : std::views::reverse(steps_)) {
    const auto last_use = [&](mil::ValueId value) {
      if (needed[static_cast<size_t>(value)]) return;
      needed[static_cast<size_t>(value)] = true;
      step.dead.push_back(value);
    };
    for (mil::ValueId output : step.operation->outputs) last_use(output);
    ForEachOperand(*step.operation, last_use);
  }
}

mil::Call Evaluator::MakeCall(const mil::Operation& operation,
                              std::span<const ArrayPtr> values) const {
  std::vector<mil::CallArgument> arguments;
  const auto add_value = [&](mil::ValueId value, mil::CallArgument* made) {
    made->types.push_back(function_->value(value).type);
    made->arrays.push_back(values[static_cast<size_t>(value)].get());
    if (const std::string* text = FindText(texts_, value)) made->text = *text;
  };
  const auto add_literal = [&](const mil::Constant& constant, mil::CallArgument* made) {
    made->types.push_back(constant.type());
    made->arrays.push_back(literals_.at(&constant).get());
    if (constant.type().dtype == DType::kString) made->text = constant.as_string();
  };
  for (const mil::Argument& argument : operation.arguments) {
    mil::CallArgument& made = arguments.emplace_back(mil::CallArgument{.key = argument.key});
    if (const auto* value = std::get_if<mil::ValueId>(&argument.value)) {
      add_value(*value, &made);
    } else if (const auto* literal = std::get_if<mil::Constant>(&argument.value)) {
      add_literal(*literal, &made);
    } else {
      made.tuple = true;
      for (mil::ValueId element : std::get<std::vector<mil::ValueId>>(argument.value)) {
        add_value(element, &made);
      }
    }
  }
  for (const mil::Attribute& attribute : operation.attributes) {
    if (attribute.key == "name") continue;
    add_literal(attribute.value, &arguments.emplace_back(mil::CallArgument{.key = attribute.key}));
  }
  return {operation.op, function_->value(operation.outputs.front()).id, std::move(arguments)};
}

Result<std::vector<mil::Array>> Evaluator::Evaluate(const mil::Operation& operation,
                                                    std::span<const ArrayPtr> values,
                                                    const Numerics& numerics) const {
  std::vector<mil::Type> types;
  types.reserve(operation.outputs.size());
  for (mil::ValueId output : operation.outputs) types.push_back(function_->value(output).type);
  const mil::OpDef* def = mil::FindOp(operation.op);
  Result<std::vector<mil::Array>> results =
      def->evaluate(MakeCall(operation, values), types, numerics);
  if (!results) return results;
  for (mil::Array& array : *results) {
    const DType dtype = array.type.dtype;
    double* data = array.data.data();
    ParallelFor(static_cast<int64_t>(array.data.size()), kRoundGrain,
                [&](int64_t begin, int64_t end) {
                  for (int64_t k = begin; k < end; ++k) data[k] = numerics.Round(data[k], dtype);
                });
  }
  return results;
}

Status Evaluator::RunOperation(const mil::Operation& operation,
                               std::vector<ArrayPtr>* values) const {
  Result<std::vector<mil::Array>> results = Evaluate(operation, *values, numerics_);
  if (!results) return results.error();
  for (size_t i = 0; i < results->size(); ++i) {
    (*values)[static_cast<size_t>(operation.outputs[i])] =
        std::make_shared<const mil::Array>(std::move((*results)[i]));
  }
  return {};
}

Result<std::vector<ArrayPtr>> Evaluator::Run(std::vector<ArrayPtr> inputs,
                                             const Observer& observer) const {
  std::vector<ArrayPtr> values = constants_;
  for (size_t i = 0; i < inputs.size(); ++i) {
    values[static_cast<size_t>(function_->inputs[i])] = std::move(inputs[i]);
  }
  for (const Step& step : steps_) {
    Status status = RunOperation(*step.operation, &values);
    if (status && observer) status = observer(*step.operation, values);
    if (!status) return status.error().In(function_->name);
    for (mil::ValueId value : step.dead) values[static_cast<size_t>(value)].reset();
  }
  std::vector<ArrayPtr> outputs;
  for (mil::ValueId output : function_->outputs) {
    outputs.push_back(values[static_cast<size_t>(output)]);
  }
  return outputs;
}

}  // namespace millwright::device
