#include "tests/differential/check.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "mil/text.h"
#include "mil/verify.h"

namespace millwright::differential {
namespace {

std::string OpOf(const mil::Function& function, mil::ValueId value) {
  for (const mil::Operation& operation : function.operations) {
    if (std::ranges::find(operation.outputs, value) != operation.outputs.end()) return operation.op;
  }
  return "input";
}

Status CheckOutput(const mil::Value& port, const Known& known, const std::vector<double>& actual,
                   Precision precision, double* share) {
  const Mode mode = precision == Precision::kFp16 ? Mode::kFp16 : Mode::kFp32;
  for (size_t i = 0; i < actual.size(); ++i) {
    const double expected = known.exact.data[i];
    const double bound = precision == Precision::kExact ? 0.0 : OutputError(known, i, mode);
    const double error = std::fabs(actual[i] - expected);
    if (!(error <= bound)) {
      return Failed("{}[{}]: {} for {}, error {:.3g}, bound {:.3g}", port.id, i, actual[i],
                    expected, error, bound);
    }
    if (bound > 0) *share = std::max(*share, error / bound);
  }
  return {};
}

Status CheckTarget(const Grown& grown, const std::vector<KnownPtr>& known, const Target& target,
                   Shares* shares) {
  auto device = target.open({.precision = target.precision});
  if (!device) return device.error();
  const auto outputs = RunProgram(**device, grown.program, {}, grown.inputs);
  if (!outputs) return outputs.error();
  const mil::Function& function = grown.program.main();
  for (size_t i = 0; i < outputs->size(); ++i) {
    const mil::ValueId value = function.outputs[i];
    double share = 0;
    Status status = CheckOutput(function.value(value), *known[static_cast<size_t>(value)],
                                (*outputs)[i], target.precision, &share);
    if (!status) return status;
    if (shares == nullptr) continue;
    const std::string op = OpOf(function, value);
    shares->largest[op] = std::max(shares->largest[op], share);
    shares->elements[op] += static_cast<int64_t>((*outputs)[i].size());
  }
  return {};
}

// `grown` without the operations and inputs that no output needs.
Grown WithoutDeadCode(const Grown& grown) {
  const mil::Function& f = grown.program.main();
  std::vector<bool> live(f.values.size(), false);
  for (mil::ValueId output : f.outputs) live[static_cast<size_t>(output)] = true;
  std::vector<mil::Operation> operations;
  for (size_t i = f.operations.size(); i-- > 0;) {
    const mil::Operation& operation = f.operations[i];
    if (std::ranges::none_of(operation.outputs,
                             [&](mil::ValueId v) { return live[static_cast<size_t>(v)]; })) {
      continue;
    }
    operations.push_back(operation);
    for (const mil::Argument& argument : operation.arguments) {
      if (const auto* value = std::get_if<mil::ValueId>(&argument.value)) {
        live[static_cast<size_t>(*value)] = true;
      } else if (const auto* values = std::get_if<std::vector<mil::ValueId>>(&argument.value)) {
        for (mil::ValueId v : *values) live[static_cast<size_t>(v)] = true;
      }
    }
  }
  std::ranges::reverse(operations);
  // Renumbered: a program has no values that nothing defines.
  Grown made{.program = grown.program};
  mil::Function& to = made.program.functions.front();
  to = {.name = f.name, .opset = f.opset};
  std::vector<mil::ValueId> places(f.values.size(), -1);
  const auto keep = [&](mil::ValueId value) {
    places[static_cast<size_t>(value)] = static_cast<mil::ValueId>(to.values.size());
    to.values.push_back(f.value(value));
    return places[static_cast<size_t>(value)];
  };
  for (size_t i = 0; i < f.inputs.size(); ++i) {
    if (!live[static_cast<size_t>(f.inputs[i])]) continue;
    to.inputs.push_back(keep(f.inputs[i]));
    made.inputs.push_back(grown.inputs[i]);
  }
  for (mil::Operation& operation : operations) {
    for (mil::Argument& argument : operation.arguments) {
      if (auto* value = std::get_if<mil::ValueId>(&argument.value)) {
        *value = places[static_cast<size_t>(*value)];
      } else if (auto* values = std::get_if<std::vector<mil::ValueId>>(&argument.value)) {
        for (mil::ValueId& v : *values) v = places[static_cast<size_t>(v)];
      }
    }
    for (mil::ValueId& output : operation.outputs) output = keep(output);
    to.operations.push_back(std::move(operation));
  }
  for (mil::ValueId output : f.outputs) to.outputs.push_back(places[static_cast<size_t>(output)]);
  return made;
}

// `grown` with the results of operation `index` as inputs, holding what was computed, as fp16.
Grown Cut(const Grown& grown, size_t index, const std::vector<KnownPtr>& known) {
  Grown made = grown;
  mil::Function& f = made.program.functions.front();
  const mil::Operation operation = f.operations[index];
  f.operations.erase(f.operations.begin() + static_cast<int64_t>(index));
  for (mil::ValueId output : operation.outputs) {
    std::vector<double> elements = known[static_cast<size_t>(output)]->exact.data;
    if (IsFloat(f.value(output).type.dtype)) {
      for (double& x : elements) x = double{ToFloat(DoubleToFp16(x))};
    }
    f.inputs.push_back(output);
    made.inputs.push_back(std::move(elements));
  }
  return WithoutDeadCode(made);
}

std::string Listed(const std::vector<double>& values) {
  return fmt::format("[{}]", fmt::join(values, ", "));
}

}  // namespace

std::vector<Target> CheckedTargets() {
  std::vector<Target> targets = ComputingTargets();
  std::erase_if(targets, [](const Target& t) { return t.precision == Precision::kAne; });
  return targets;
}

Status Check(const Grown& grown, const std::vector<Target>& targets, Shares* shares) {
  if (Status status = mil::Verify(grown.program); !status) return status;
  const auto known = AnalyzeFunction(grown.program.main(), grown.inputs);
  if (!known) return known.error();
  for (const Target& target : targets) {
    const Status status = CheckTarget(grown, *known, target, shares);
    if (!status) return status.error().In(target.name());
  }
  return {};
}

Grown Shrink(Grown failing, const std::vector<Target>& targets) {
  const auto fails = [&](const Grown& grown) { return !Check(grown, targets); };
  const std::vector<mil::ValueId> outputs = failing.program.main().outputs;
  for (mil::ValueId output : outputs) {  // one output, if one alone fails
    Grown one = failing;
    one.program.functions.front().outputs = {output};
    one = WithoutDeadCode(one);
    if (!fails(one)) continue;
    failing = std::move(one);
    break;
  }
  for (bool smaller = true; smaller;) {
    smaller = false;
    const auto known = AnalyzeFunction(failing.program.main(), failing.inputs);
    for (size_t i = failing.program.main().operations.size(); known && i-- > 0 && !smaller;) {
      const mil::Operation& operation = failing.program.main().operations[i];
      const auto& f = failing.program.main();
      const bool returned = std::ranges::any_of(operation.outputs, [&](mil::ValueId v) {
        return std::ranges::find(f.outputs, v) != f.outputs.end();
      });
      if (operation.op == "const" || operation.op.starts_with("constexpr_") || returned) continue;
      Grown cut = Cut(failing, i, *known);
      const bool shorter =
          cut.program.main().operations.size() < failing.program.main().operations.size();
      if (!shorter || !fails(cut)) continue;
      failing = std::move(cut);
      smaller = true;
    }
  }
  return failing;
}

std::string ToText(const Grown& grown) {
  std::string text;
  const mil::Function& f = grown.program.main();
  for (size_t i = 0; i < f.inputs.size(); ++i) {
    text += fmt::format("// input {} = {}\n", f.value(f.inputs[i]).id, Listed(grown.inputs[i]));
  }
  return text + mil::Print(grown.program);
}

}  // namespace millwright::differential
