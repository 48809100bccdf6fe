#include <algorithm>

#include "base/threads.h"
#include "device/cpu/lowering.h"

namespace millwright::device::cpu {
namespace {

// The input whose order the loops should follow: one that is nowhere repeated.
size_t OrderingInput(std::span<const View> inputs) {
  for (size_t i = 0; i < inputs.size(); ++i) {
    bool repeated = false;
    for (const Axis& axis : inputs[i].axes) {
      for (const Dim& dim : axis) repeated = repeated || dim.stride == 0;
    }
    if (!repeated) return i;
  }
  return 0;
}

LoopNest NestOf(Lowering& lowering, std::vector<View> inputs, const View& to,
                const std::vector<bool>& reduced) {
  std::vector<View> operands = inputs;
  operands.push_back(to);
  if (auto nest = MakeLoopNest(operands, OrderingInput(inputs), reduced)) return *std::move(nest);
  lowering.Fired(CompileRule::kCopyOperands);
  for (View& input : inputs) input = lowering.DenseCopy(input);
  operands = inputs;
  operands.push_back(to);
  return *MakeLoopNest(operands, 0, reduced);
}

Result<GroupProgram> OperandProgram(Lowering& lowering, int index) {
  const mil::ValueId x = lowering.ArgumentValue(lowering.op(index), "x");
  return BuildGroup(lowering, index, {x}, lowering.type(x).shape);
}

}  // namespace

Status LowerReduction(Lowering& lowering, int index) {
  const mil::Operation& op = lowering.op(index);
  const auto call = lowering.CallOf(index);
  if (!call) return call.error();
  const mil::ValueId x = lowering.ArgumentValue(op, "x");
  if (x < 0 || !IsFloat(lowering.type(x).dtype)) return LowerGeneric(lowering, index);
  const Shape& shape = lowering.type(x).shape;
  const std::vector<int64_t> axes = call->Ints("axes");
  std::vector<bool> reduced(shape.size(), axes.empty());
  for (int64_t axis : axes) {
    reduced[static_cast<size_t>(axis < 0 ? axis + static_cast<int64_t>(shape.size()) : axis)] =
        true;
  }
  Shape kept = shape;
  for (size_t i = 0; i < shape.size(); ++i) kept[i] = reduced[i] ? 1 : shape[i];
  auto group = OperandProgram(lowering, index);
  if (!group) return group.error();
  const View to = lowering.Destination(op.outputs[0]);
  const View wide = BroadcastView(*ReshapeView(to, kept), shape);
  LoopNest nest = NestOf(lowering, std::move(group->inputs), wide, reduced);
  const Reduction kind = op.op == "reduce_sum"    ? Reduction::kSum
                         : op.op == "reduce_mean" ? Reduction::kMean
                                                  : Reduction::kMax;
  lowering.Emit(MakeReduceStep(kind, std::move(group->program), std::move(nest)));
  lowering.Define(op.outputs[0], to);
  lowering.EmitRounding(op.outputs[0]);
  return {};
}

Status LowerSoftmax(Lowering& lowering, int index) {
  const mil::Operation& op = lowering.op(index);
  const auto call = lowering.CallOf(index);
  if (!call) return call.error();
  if (lowering.ArgumentValue(op, "x") < 0) return LowerGeneric(lowering, index);
  auto group = OperandProgram(lowering, index);
  if (!group) return group.error();
  const View to = lowering.Destination(op.outputs[0]);
  const int64_t rank = static_cast<int64_t>(to.axes.size());
  const int64_t axis = call->Int("axis", -1);
  std::vector<bool> reduced(to.axes.size(), false);
  reduced[static_cast<size_t>(axis < 0 ? axis + rank : axis)] = true;
  LoopNest nest = NestOf(lowering, std::move(group->inputs), to, reduced);
  const int slots = GetThreads();
  const int scratch = lowering.plan.AddArena(SoftmaxScratch(nest, slots));
  lowering.Emit(MakeSoftmaxStep(std::move(group->program), std::move(nest), scratch, slots));
  lowering.Define(op.outputs[0], to);
  lowering.EmitRounding(op.outputs[0]);
  return {};
}

}  // namespace millwright::device::cpu
