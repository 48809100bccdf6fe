// Operations that only rename elements: views where strides can express them, else a copy.
#include "device/cpu/lowering.h"

namespace millwright::device::cpu {
namespace {

// The results as views of `x`; nothing where a copy is needed first.
std::optional<View> Slice(const mil::Call& call, const mil::Operation& op, const View& x,
                          const Shape& result) {
  const Shape shape = x.shape();
  const size_t rank = shape.size();
  Shape begin = call.Ints("begin"), step = call.Ints("stride", Shape(rank, 1)), size(rank);
  if (op.op == "slice_by_size") {
    for (size_t i = 0; i < rank; ++i) {
      if (begin[i] < 0) begin[i] += shape[i];
    }
    return SliceView(x, begin, result, step);
  }
  Shape end = call.Ints("end");
  const Shape none(rank, 0);
  const Shape begin_mask = call.Ints("begin_mask", none), end_mask = call.Ints("end_mask", none);
  const Shape squeeze = call.Ints("squeeze_mask", none);
  for (size_t i = 0; i < rank; ++i) {
    if (step[i] < 1) return std::nullopt;
    const auto clamp = [&](int64_t at) {
      if (at < 0) at += shape[i];
      return std::min(std::max<int64_t>(at, 0), shape[i]);
    };
    begin[i] = begin_mask[i] != 0 ? 0 : clamp(begin[i]);
    end[i] = end_mask[i] != 0 ? shape[i] : clamp(end[i]);
    if (squeeze[i] != 0) end[i] = begin[i] + 1;
    size[i] = squeeze[i] != 0 ? 1 : (end[i] - begin[i] + step[i] - 1) / step[i];
  }
  const auto slice = SliceView(x, begin, size, step);
  return slice ? ReshapeView(*slice, result) : std::nullopt;
}

View Tile(const mil::Call& call, const View& x) {
  const std::vector<int64_t> reps = call.Ints("reps");
  View view = x;
  for (size_t i = 0; i < reps.size(); ++i) {
    if (reps[i] > 1) view.axes[i].insert(view.axes[i].begin(), Dim{reps[i], 0});
  }
  return view;
}

CompileRule RuleOf(const mil::Operation& op) {
  if (op.op == "transpose") return CompileRule::kViewTranspose;
  if (op.op == "tile") return CompileRule::kViewTile;
  if (op.op == "identity" || op.op == "cast") return CompileRule::kViewIdentity;
  return op.op.starts_with("slice_by") ? CompileRule::kViewSlice : CompileRule::kViewReshape;
}

std::optional<View> RenamedView(const mil::Call& call, const mil::Operation& op, const View& x,
                                const Shape& result) {
  if (op.op == "transpose") return TransposeView(x, call.Ints("perm"));
  if (op.op == "tile") return Tile(call, x);
  if (op.op.starts_with("slice_by")) return Slice(call, op, x, result);
  return ReshapeView(x, result);  // reshape, expand_dims, squeeze, identity, identity casts
}

Status LowerSplit(Lowering& lowering, const mil::Call& call, const mil::Operation& op,
                  const View& x) {
  const int64_t rank = static_cast<int64_t>(x.axes.size());
  const int64_t axis = call.Int("axis", 0);
  const size_t a = static_cast<size_t>(axis < 0 ? axis + rank : axis);
  View source = x;
  Shape begin(x.axes.size(), 0);
  const Shape step(x.axes.size(), 1);
  for (mil::ValueId output : op.outputs) {
    const Shape& size = lowering.type(output).shape;
    auto part = SliceView(source, begin, size, step);
    if (!part) {
      lowering.Fired(CompileRule::kCopyView);
      source = lowering.DenseCopy(source);
      part = SliceView(source, begin, size, step);
    }
    lowering.Define(output, *std::move(part));
    begin[a] += size[a];
  }
  lowering.Fired(CompileRule::kViewSplit);
  return {};
}

}  // namespace

Status LowerViewOperation(Lowering& lowering, int index) {
  const mil::Operation& op = lowering.op(index);
  const auto call = lowering.CallOf(index);
  if (!call) return call.error();
  const auto x = lowering.ArgumentView(op, "x");
  if (!x) return x.error();
  if (op.op == "split") return LowerSplit(lowering, *call, op, *x);
  const Shape& shape = lowering.type(op.outputs[0]).shape;
  auto view = RenamedView(*call, op, *x, shape);
  if (!view) {
    const View dense = lowering.DenseCopy(*x);
    view = RenamedView(*call, op, dense, shape);
    if (view) lowering.Fired(CompileRule::kCopyView);
  }
  if (!view) {  // a negative stride
    const bool constant = lowering.state(op.outputs[0]).constant;
    return constant ? FoldOperation(lowering, index) : LowerGeneric(lowering, index);
  }
  lowering.Fired(RuleOf(op));
  lowering.Define(op.outputs[0], *std::move(view));
  return {};
}

}  // namespace millwright::device::cpu
