// Which elementwise operations are carried out together, by the step of the last of them.
#include <algorithm>
#include <functional>
#include <map>
#include <set>

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

// Operations of one step that lead to a result, and the values that they read.
struct Chain {
  std::set<int> members;
  std::set<mil::ValueId> reads;
};

Chain ChainTo(const Lowering& lowering, mil::ValueId result,
              const std::function<bool(int)>& is_member) {
  Chain chain;
  std::vector<mil::ValueId> rest = {result};
  while (!rest.empty()) {
    const mil::ValueId value = rest.back();
    rest.pop_back();
    const int index = lowering.definitions[static_cast<size_t>(value)];
    if (index < 0 || !is_member(index)) {
      chain.reads.insert(value);
      continue;
    }
    if (!chain.members.insert(index).second) continue;
    for (const mil::Argument& argument : lowering.op(index).arguments) {
      const auto* operand = std::get_if<mil::ValueId>(&argument.value);
      if (operand != nullptr) rest.push_back(*operand);
    }
  }
  return chain;
}

// What will be the group of operation `index` if it is a root: nobody else reads its values.
Chain OwnChain(const Lowering& lowering, int index) {
  const mil::ValueId result = lowering.op(index).outputs[0];
  return ChainTo(lowering, result, [&](int i) {
    const mil::ValueId value = lowering.op(i).outputs[0];
    return i == index || (IsElementwise(lowering, lowering.op(i)) &&
                          lowering.values[static_cast<size_t>(value)].users.size() == 1 &&
                          lowering.type(value).shape == lowering.type(result).shape);
  });
}

// The group of a later root that operation `index` and its chain can join, or -1: it reads the same
// values, as the two halves of a rotation do, its result lies in the same order, and it comes
// before anybody asks for the result of `index`.
int SiblingGroup(const Lowering& lowering, int index, const std::map<int, int>& sizes) {
  const auto state_of = [&](int i) -> const ValueState& {
    return lowering.values[static_cast<size_t>(lowering.op(i).outputs[0])];
  };
  const ValueState& state = state_of(index);
  if (!state.placement || state.users.empty()) return -1;
  const Chain own = OwnChain(lowering, index);
  for (const auto& [root, size] : sizes) {
    if (root >= state.users.front()) break;
    const auto& placement = state_of(root).placement;
    if (root < index || IsReducing(lowering.op(root)) || !placement) continue;
    if (placement->axes != state.placement->axes) continue;
    if (size + static_cast<int>(own.members.size()) > kMostOperations) continue;
    const Chain other = ChainTo(lowering, lowering.op(root).outputs[0], [&, r = root](int i) {
      return lowering.group[static_cast<size_t>(i)] == r;
    });
    if (other.reads == own.reads) return root;
  }
  return -1;
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
    int root = reducing ? -1 : JoinableGroup(lowering, i, sizes);
    if (root >= 0) lowering.Fired(FusionWith(lowering.op(root)), i);
    if (root < 0 && !reducing) {
      root = SiblingGroup(lowering, i, sizes);
      if (root >= 0) lowering.Fired(CompileRule::kFuseSibling, i);
    }
    lowering.group[static_cast<size_t>(i)] = root < 0 ? i : root;
    ++sizes[root < 0 ? i : root];
  }
}

}  // namespace millwright::device::cpu
