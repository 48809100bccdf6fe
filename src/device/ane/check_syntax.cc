// Rows about how a program is written down.
#include <algorithm>
#include <array>

#include "device/ane/checks.h"
#include "mil/ops/op.h"

namespace millwright::device::ane {

void InlineParameters(const Facts& facts, Findings& findings) {
  ForEachOp(facts, [&](const mil::Operation& operation) {
    for (const mil::Argument& argument : operation.arguments) {
      if (!std::holds_alternative<mil::Constant>(argument.value)) continue;
      findings.At(operation, "'{}' is written in place", argument.key);
    }
  });
}

void MissingName(const Facts& facts, Findings& findings) {
  ForEachOp(facts, [&](const mil::Operation& operation) {
    if (operation.FindAttribute("name") == nullptr) findings.At(operation, "it has no name");
  });
}

void MissingArguments(const Facts& facts, Findings& findings) {
  const auto require = [&](std::string_view op, std::string_view key) {
    ForEachOp(facts, op, [&](const mil::Operation& operation) {
      if (operation.FindArgument(key) == nullptr) findings.At(operation, "'{}' is missing", key);
    });
  };
  require("gelu", "mode");
  require("log", "epsilon");
  require("rsqrt", "epsilon");
  ForEachOp(facts, "layer_norm", [&](const mil::Operation& operation) {
    const mil::ValueId gamma = facts.Argument(operation, "gamma");
    const mil::ValueId epsilon = facts.Argument(operation, "epsilon");
    if (gamma < 0 || epsilon < 0) return;
    const DType wanted = facts.type(gamma).dtype, found = facts.type(epsilon).dtype;
    if (wanted == found) return;
    findings.At(operation, "'epsilon' is {}, 'gamma' {}", DTypeName(found), DTypeName(wanted));
  });
}

void Dialect(const Facts& facts, Findings& findings) {
  constexpr int kVerboseOpset = 16;
  ForEachOp(facts, [&](const mil::Operation& operation) {
    const mil::OpDef* def = mil::FindOp(operation.op);
    if (def != nullptr && def->since > kVerboseOpset) {
      findings.At(operation, "it came with ios{}", def->since);
    }
  });
  if (facts.target().managed || facts.program().version == "1.0") return;
  findings.AtFunction("the text is program({}), {}", facts.program().version,
                      facts.function().opset);
}

void CollidingNames(const Facts& facts, Findings& findings) {
  constexpr std::array<std::string_view, 12> kNames = {"var", "diff", "mean", "std",   "eps", "x",
                                                       "y",   "mul",  "add",  "rsqrt", "c",   "C"};
  for (size_t i = 0; i < facts.function().values.size(); ++i) {
    const std::string& id = facts.function().values[i].id;
    if (std::ranges::find(kNames, id) == kNames.end() && mil::FindOp(id) == nullptr) continue;
    findings.AtValue(static_cast<mil::ValueId>(i),
                     "the compiler may take \"{}\" for an operation's name", id);
  }
}

void DeadResults(const Facts& facts, Findings& findings) {
  const auto& outputs = facts.function().outputs;
  for (size_t i = 0; i < outputs.size(); ++i) {
    const mil::Operation* definition = facts.Definition(outputs[i]);
    if (definition == nullptr) {
      findings.AtValue(outputs[i], "it is an input");
    } else if (facts.IsConstant(outputs[i])) {
      findings.AtValue(outputs[i], "it is known when the program is compiled");
    } else if (definition->op == "identity") {
      findings.AtValue(outputs[i], "identity is optimised away");
    } else if (std::find(outputs.begin(), outputs.begin() + static_cast<int64_t>(i), outputs[i]) !=
               outputs.begin() + static_cast<int64_t>(i)) {
      findings.AtValue(outputs[i], "it is returned twice");
    }
  }
}

}  // namespace millwright::device::ane
