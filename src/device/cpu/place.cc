// Decides, from the last operation to the first, where results are to be written: into a bound
// output, into a concat's result, all products of a sum to one place, or, as a mere wish, in the
// order in which a later user walks them.
#include <algorithm>

#include "device/cpu/lowering.h"

namespace millwright::device::cpu {
namespace {

// A value that some operation computes, or renames from one that may be.
bool MayBePlaced(const Lowering& lowering, mil::ValueId value) {
  const mil::Operation* definition = lowering.Definition(value);
  const ValueState& state = lowering.values[static_cast<size_t>(value)];
  if (definition == nullptr || state.constant || state.placement) return false;
  return !definition->op.starts_with("slice_by") && definition->op != "split";
}

// Offers `value` a place, because of `by`.
void Place(Lowering& lowering, mil::ValueId value, const View& view, CompileRule by) {
  if (!MayBePlaced(lowering, value)) return;
  lowering.state(value).placement = view;
  lowering.state(value).placed_by = by;
}

// Tells `value` which layout would suit a user.
void Hint(Lowering& lowering, mil::ValueId value, const View& view) {
  if (!MayBePlaced(lowering, value)) return;
  ValueState& state = lowering.state(value);
  if (!state.hint) state.hint = CompactLike(view);
}

void OfferConcatInputs(Lowering& lowering, int index) {
  const mil::Operation& op = lowering.op(index);
  const auto call = lowering.CallOf(index);
  const auto* inputs = std::get_if<std::vector<mil::ValueId>>(&op.FindArgument("values")->value);
  if (!call || inputs == nullptr || call->Bool("interleave", false)) return;
  ValueState& state = lowering.state(op.outputs[0]);
  if (inputs->size() == 1) {
    if (state.placement) Place(lowering, inputs->front(), *state.placement, state.placed_by);
    if (state.hint) Hint(lowering, inputs->front(), *state.hint);
    return;
  }
  if (!state.placement) {
    state.placement = lowering.Destination(op.outputs[0]);
    state.hint.reset();
  }
  const Shape& shape = lowering.type(op.outputs[0]).shape;
  const int64_t rank = static_cast<int64_t>(shape.size());
  const int64_t axis = call->Int("axis", 0);
  Shape begin(shape.size(), 0), step(shape.size(), 1);
  for (mil::ValueId input : *inputs) {
    const Shape& size = lowering.type(input).shape;
    if (auto part = SliceView(*state.placement, begin, size, step)) {
      Place(lowering, input, *part, CompileRule::kPlaceConcat);
    }
    const size_t a = static_cast<size_t>(axis < 0 ? axis + rank : axis);
    begin[a] += size[a];
  }
}

void OfferOperands(Lowering& lowering, int index) {
  const mil::Operation& op = lowering.op(index);
  if (op.outputs.size() != 1) return;
  const ValueState& state = lowering.state(op.outputs[0]);
  if (op.op == "concat") return OfferConcatInputs(lowering, index);
  if (op.op == "add" && PlaceProductSum(lowering, index)) return;
  if (!state.placement && !state.hint) return;
  const View& target = state.placement ? *state.placement : *state.hint;
  if (IsRenaming(lowering, op)) {
    const mil::ValueId x = lowering.ArgumentValue(op, "x");
    const auto view = PullBack(lowering, index, target);
    if (!view || x < 0) return;
    if (state.placement) Place(lowering, x, *view, state.placed_by);
    if (!state.placement) Hint(lowering, x, *view);
    return;
  }
  if (!IsElementwise(lowering, op) && op.op != "softmax") return;
  for (const mil::Argument& argument : op.arguments) {
    const auto* x = std::get_if<mil::ValueId>(&argument.value);
    if (x == nullptr || lowering.type(*x).shape != lowering.type(op.outputs[0]).shape) continue;
    Hint(lowering, *x, target);
  }
}

}  // namespace

bool IsRenaming(const Lowering& lowering, const mil::Operation& operation) {
  return operation.op == "reshape" || operation.op == "transpose" ||
         operation.op == "expand_dims" || operation.op == "squeeze" || operation.op == "identity" ||
         IsIdentityCast(lowering, operation);
}

bool IsIdentityCast(const Lowering& lowering, const mil::Operation& operation) {
  if (operation.op != "cast") return false;
  const mil::ValueId x = lowering.ArgumentValue(operation, "x");
  if (x < 0) return false;
  const DType from = lowering.type(x).dtype;
  const DType to = lowering.type(operation.outputs[0]).dtype;
  if (from == to) return true;
  return IsFloat(to) && !(lowering.half_surfaces() && to == DType::kFp16);
}

std::optional<View> PullBack(const Lowering& lowering, int index, const View& result) {
  const mil::Operation& op = lowering.op(index);
  const mil::ValueId x = lowering.ArgumentValue(op, "x");
  if (x < 0) return std::nullopt;
  if (op.op == "transpose") {
    const auto call = lowering.CallOf(index);
    if (!call) return std::nullopt;
    return TransposeView(result, InversePermutation(call->Ints("perm")));
  }
  return ReshapeView(result, lowering.type(x).shape);
}

void PlaceValues(Lowering& lowering) {
  const mil::Function& f = lowering.function;
  for (size_t i = 0; i < f.outputs.size(); ++i) {
    const mil::ValueId value = f.outputs[i];
    const DType dtype = lowering.type(value).dtype;
    if (!IsFloat(dtype) || lowering.half_surfaces()) continue;  // stored from the arena at the end
    const int buffer = lowering.plan.Add(BufferKind::kOutput, i, lowering.type(value).elements());
    Place(lowering, value, DenseView(buffer, lowering.type(value).shape),
          CompileRule::kPlaceOutput);
  }
  for (size_t i = f.operations.size(); i-- > 0;) OfferOperands(lowering, static_cast<int>(i));
}

}  // namespace millwright::device::cpu
