// Which elementwise operations are carried out together, by the step of the last of them.
#include <algorithm>
#include <map>

#include "device/cpu/lowering.h"

namespace millwright::device::cpu {
namespace {

// Operations in one group; with their operands they stay below kMostRegisters.
constexpr int kMostOperations = 14;

bool IsReducing(const mil::Operation& op) {
  return op.op == "softmax" || op.op == "reduce_sum" || op.op == "reduce_mean" ||
         op.op == "reduce_max";
}

CompileRule FusionWith(const mil::Operation& root) {
  if (root.op == "softmax") return CompileRule::kFuseSoftmax;
  return IsReducing(root) ? CompileRule::kFuseReduction : CompileRule::kFuseElementwise;
}

// The shape over which the step of `root` runs.
const Shape& LoopShape(const Lowering& lowering, int root) {
  const mil::Operation& op = lowering.op(root);
  return IsReducing(op) ? lowering.type(lowering.ArgumentValue(op, "x")).shape
                        : lowering.type(op.outputs[0]).shape;
}

// The group that operation `index` can join, or -1. Its result may be used elsewhere only after the
// group's step, and inside a reduction's group not at all.
int JoinableGroup(const Lowering& lowering, int index, const std::map<int, int>& sizes) {
  const mil::ValueId result = lowering.op(index).outputs[0];
  const ValueState& state = lowering.values[static_cast<size_t>(result)];
  const int end = static_cast<int>(lowering.function.operations.size());
  if (state.users.empty() || state.users.front() == end) return -1;
  const int root = lowering.group[static_cast<size_t>(state.users.front())];
  const auto size = sizes.find(root);
  if (size == sizes.end() || size->second >= kMostOperations) return -1;
  if (LoopShape(lowering, root) != lowering.type(result).shape) return -1;
  for (int user : state.users) {
    const bool inside = user < end && lowering.group[static_cast<size_t>(user)] == root;
    if (inside) continue;
    if (IsReducing(lowering.op(root)) || user <= root) return -1;
  }
  return root;
}

}  // namespace

void FuseElementwise(Lowering& lowering) {
  std::map<int, int> sizes;  // by root
  for (int i = static_cast<int>(lowering.function.operations.size()); i-- > 0;) {
    const mil::Operation& op = lowering.op(i);
    if (lowering.group[static_cast<size_t>(i)] != i) continue;  // part of an attention step
    const bool reducing = IsReducing(op) && lowering.ArgumentValue(op, "x") >= 0;
    const bool constant = lowering.state(op.outputs[0]).constant;
    if (constant || (!reducing && !IsElementwise(lowering, op))) continue;
    const int root = reducing ? -1 : JoinableGroup(lowering, i, sizes);
    lowering.group[static_cast<size_t>(i)] = root < 0 ? i : root;
    if (root >= 0) lowering.Fired(FusionWith(lowering.op(root)), i);
    ++sizes[root < 0 ? i : root];
  }
}

}  // namespace millwright::device::cpu
