// Rows about operations that are rejected, or have no place on the Neural Engine.
#include <algorithm>
#include <array>
#include <set>

#include "device/ane/checks.h"

namespace millwright::device::ane {
namespace {

constexpr size_t kDeepest = 383;

// Says of every operation of that name that the row is about it.
void Report(const Facts& facts, std::string_view op, Findings& findings) {
  ForEachOp(facts, op, [&](const mil::Operation& operation) {
    findings.At(operation, "it is {}", operation.op);
  });
}

bool IsReduction(const mil::Operation* operation) {
  return operation != nullptr && operation->op.starts_with("reduce_");
}

// Whether a value comes from a reduction, past additions of constants and factors.
bool ComesFromReduction(const Facts& facts, mil::ValueId value) {
  for (int steps = 0; steps < 4 && value >= 0; ++steps) {
    const mil::Operation* definition = facts.Definition(value);
    if (IsReduction(definition)) return true;
    if (definition == nullptr || (definition->op != "add" && definition->op != "mul")) return false;
    const mil::ValueId x = facts.Argument(*definition, "x"), y = facts.Argument(*definition, "y");
    value = x >= 0 && !facts.IsConstant(x) ? x : y;
  }
  return false;
}

// A list of numbers along one axis, such as a norm weight.
bool IsVector(const Shape& shape) {
  return std::ranges::count_if(shape, [](int64_t axis) { return axis > 1; }) <= 1;
}

}  // namespace

void ConcatArguments(const Facts& facts, Findings& findings) {
  ForEachOp(facts, "concat", [&](const mil::Operation& operation) {
    for (std::string_view key : {"axis", "interleave", "values"}) {
      if (operation.FindArgument(key) == nullptr) findings.At(operation, "'{}' is missing", key);
    }
  });
}

void ChannelConcat(const Facts& facts, Findings& findings) {
  ForEachOp(facts, "concat", [&](const mil::Operation& operation) {
    const size_t rank = facts.shape(operation.outputs.front()).size();
    const auto axis = facts.Axis(operation, rank);
    if (axis && *axis + 1 < rank) findings.At(operation, "it concatenates axis {}", *axis);
  });
}

void WidthConcat(const Facts& facts, Findings& findings) {
  ForEachOp(facts, "concat", [&](const mil::Operation& operation) {
    const size_t rank = facts.shape(operation.outputs.front()).size();
    const auto axis = facts.Axis(operation, rank);
    if (axis && *axis + 1 == rank) findings.At(operation, "it concatenates the last axis");
  });
}

void RootOfReduction(const Facts& facts, Findings& findings) {
  for (std::string_view op : {"rsqrt", "sqrt"}) {
    ForEachOp(facts, op, [&](const mil::Operation& operation) {
      const mil::ValueId x = facts.Argument(operation, "x");
      if (ComesFromReduction(facts, x)) findings.At(operation, "its argument is a reduction");
    });
  }
}

void ReduceMean(const Facts& facts, Findings& findings) { Report(facts, "reduce_mean", findings); }

void Tiles(const Facts& facts, Findings& findings) { Report(facts, "tile", findings); }

void LayerNorm(const Facts& facts, Findings& findings) { Report(facts, "layer_norm", findings); }

void AffineDequantize(const Facts& facts, Findings& findings) {
  Report(facts, "constexpr_affine_dequantize", findings);
}

void Trigonometry(const Facts& facts, Findings& findings) {
  for (std::string_view op : {"sin", "cos"}) Report(facts, op, findings);
}

void WithoutPlace(const Facts& facts, Findings& findings) {
  constexpr std::array<std::string_view, 12> kOps = {
      "scatter",     "scatter_nd", "one_hot",     "band_part",   "mod",      "reduce_prod",
      "logical_and", "logical_or", "logical_not", "logical_xor", "non_zero", "cumsum"};
  for (std::string_view op : kOps) Report(facts, op, findings);
  ForEachOp(facts, [&](const mil::Operation& operation) {
    if (operation.op.starts_with("random_")) findings.At(operation, "it is {}", operation.op);
  });
}

void Gathers(const Facts& facts, Findings& findings) {
  ForEachOp(facts, [&](const mil::Operation& operation) {
    const bool constant = facts.IsConstant(operation.outputs.front());
    if (operation.op.starts_with("gather") && !constant) {
      findings.At(operation, "it is {}", operation.op);
    }
  });
}

void SliceByIndexOfInput(const Facts& facts, Findings& findings) {
  ForEachOp(facts, "slice_by_index", [&](const mil::Operation& operation) {
    const mil::ValueId x = facts.Argument(operation, "x");
    if (x >= 0 && facts.Definition(x) == nullptr) findings.At(operation, "it slices an input");
  });
}

void CrashingOperations(const Facts& facts, Findings& findings) {
  for (std::string_view op : {"pad", "topk"}) Report(facts, op, findings);
  const bool empty = std::ranges::all_of(
      facts.operations(), [](const mil::Operation& operation) { return operation.op == "const"; });
  if (empty) findings.AtFunction("it has no operation");
}

// The longest chain of operations, each of which reads the one before.
void Depth(const Facts& facts, Findings& findings) {
  std::vector<size_t> depths(facts.function().values.size(), 0);
  size_t deepest = 0;
  ForEachOp(facts, [&](const mil::Operation& operation) {
    size_t depth = 0;
    for (mil::ValueId operand : facts.Operands(operation)) {
      depth = std::max(depth, depths[static_cast<size_t>(operand)]);
    }
    depth += facts.IsConstant(operation.outputs.front()) ? 0 : 1;
    for (mil::ValueId output : operation.outputs) depths[static_cast<size_t>(output)] = depth;
    deepest = std::max(deepest, depth);
  });
  if (deepest > kDeepest) {
    findings.AtFunction("a chain has {} operations, more than {}", deepest, kDeepest);
  }
}

// Attention is where the rejections were seen, of activations: a function with a softmax.
void WidthReshapes(const Facts& facts, Findings& findings) {
  const bool attention = std::ranges::any_of(facts.operations(), [](const mil::Operation& o) {
    return o.op == "softmax" || o.op == "scaled_dot_product_attention";
  });
  if (!attention) return;
  ForEachOp(facts, [&](const mil::Operation& operation) {
    const Shape& result = facts.shape(operation.outputs.front());
    const mil::ValueId x = facts.Argument(operation, "x");
    if (facts.IsConstant(operation.outputs.front()) || IsVector(result)) return;
    const bool moves = operation.op == "reshape" || operation.op.starts_with("slice_by") ||
                       operation.op == "split";
    if (moves && x >= 0 && !facts.shape(x).empty() && facts.shape(x).back() != result.back()) {
      findings.At(operation, "the width changes from {} to {}", facts.shape(x).back(),
                  result.back());
    }
    if (operation.op == "concat" && facts.Axis(operation, result.size()) == result.size() - 1) {
      findings.At(operation, "it concatenates the width");
    }
  });
}

}  // namespace millwright::device::ane
