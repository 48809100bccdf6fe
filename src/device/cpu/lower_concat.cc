// concat: its inputs were computed in place, or repeat parts of one value, or are copied.
#include "device/cpu/lowering.h"

namespace millwright::device::cpu {
namespace {

// Equally long parts of one buffer at a constant distance, each repeated equally often (heads tiled
// for grouped queries): the whole as one view.
std::optional<View> RepeatedParts(std::span<const View> parts, size_t axis) {
  const View& first = parts[0];
  for (const View& part : parts) {
    if (part.buffer != first.buffer || part.axes != first.axes) return std::nullopt;
  }
  const size_t count = parts.size();
  size_t repeats = 1;
  while (repeats < count && parts[repeats].offset == first.offset) ++repeats;
  if (count % repeats != 0) return std::nullopt;
  const int64_t distance = repeats < count ? parts[repeats].offset - first.offset : 0;
  for (size_t i = 0; i < count; ++i) {
    if (parts[i].offset != first.offset + static_cast<int64_t>(i / repeats) * distance) {
      return std::nullopt;
    }
  }
  if (distance < 0) return std::nullopt;
  View view = first;
  Axis dims;
  const int64_t groups = static_cast<int64_t>(count / repeats);
  if (groups > 1) dims.push_back({groups, distance});
  if (repeats > 1) dims.push_back({static_cast<int64_t>(repeats), 0});
  for (const Dim& dim : first.axes[axis]) {
    if (!dims.empty() && dims.back().stride == dim.size * dim.stride) {
      dims.back() = {dims.back().size * dim.size, dim.stride};
    } else {
      dims.push_back(dim);
    }
  }
  view.axes[axis] = std::move(dims);
  return view;
}

bool IsArena(const Lowering& lowering, const View& view) {
  return lowering.plan.buffers[static_cast<size_t>(view.buffer)].kind == BufferKind::kArena;
}

}  // namespace

Status LowerConcat(Lowering& lowering, int index) {
  const mil::Operation& op = lowering.op(index);
  const auto call = lowering.CallOf(index);
  if (!call) return call.error();
  if (call->Bool("interleave", false)) return LowerGeneric(lowering, index);
  std::vector<View> parts;
  for (mil::ValueId input : std::get<std::vector<mil::ValueId>>(op.FindArgument("values")->value)) {
    auto view = lowering.ViewOf(input);
    if (!view) return view.error();
    parts.push_back(*std::move(view));
  }
  const mil::ValueId result = op.outputs[0];
  const int64_t rank = static_cast<int64_t>(lowering.type(result).shape.size());
  const int64_t axis = call->Int("axis", 0);
  const size_t a = static_cast<size_t>(axis < 0 ? axis + rank : axis);
  const ValueState& state = lowering.state(result);
  if (!state.placement || IsArena(lowering, *state.placement)) {
    if (auto view = RepeatedParts(parts, a)) {
      lowering.Fired(CompileRule::kConcatRepeats);
      lowering.Define(result, *std::move(view));
      return {};
    }
  }
  const View to = lowering.Destination(result);
  Shape begin(static_cast<size_t>(rank), 0);
  const Shape step(static_cast<size_t>(rank), 1);
  for (const View& part : parts) {
    const Shape size = part.shape();
    const auto place = SliceView(to, begin, size, step);
    if (!place) {  // the destination's axis is cut elsewhere: write a dense one, then move it
      lowering.Fired(CompileRule::kConcatMoves);
      lowering.state(result).placement.reset();
      lowering.state(result).hint.reset();
      if (Status status = LowerConcat(lowering, index); !status) return status;
      lowering.EmitCopy(*lowering.state(result).view, to);
      lowering.Define(result, to);
      return {};
    }
    if (*place != part) {
      lowering.Fired(CompileRule::kConcatCopies);
      lowering.EmitCopy(part, *place);
    } else {
      lowering.Fired(CompileRule::kConcatInPlace);
    }
    begin[a] += size[a];
  }
  lowering.Define(result, to);
  return {};
}

}  // namespace millwright::device::cpu
