// matmul, linear and 1x1 convolutions as matrix products.
#include <algorithm>

#include "device/cpu/lowering.h"

namespace millwright::device::cpu {
namespace {

// A matrix as the GEMM wants it: row-major with a leading dimension, or the transpose of one.
struct Matrix {
  bool transposed = false;
  int64_t leading = 0;
};

// The last two axes of `view` as a matrix; nothing where neither axis has unit stride.
std::optional<Matrix> AsMatrix(const View& view) {
  const size_t rank = view.axes.size();
  const auto rows = SingleDim(view.axes[rank - 2]);
  const auto columns = SingleDim(view.axes[rank - 1]);
  if (!rows || !columns) return std::nullopt;
  if (columns->size == 1 || columns->stride == 1) {
    const int64_t leading = rows->size == 1 ? columns->size : rows->stride;
    if (leading >= columns->size) return Matrix{false, leading};
  }
  if (rows->size == 1 || rows->stride == 1) {
    const int64_t leading = columns->size == 1 ? rows->size : columns->stride;
    if (leading >= rows->size) return Matrix{true, leading};
  }
  return std::nullopt;
}

View Transposed(const View& view) {
  View result = view;
  std::swap(result.axes[result.axes.size() - 1], result.axes[result.axes.size() - 2]);
  return result;
}

// The batch loops of the three operands, without axes of size 1.
struct Batch {
  std::vector<int64_t> sizes;
  std::vector<std::vector<int64_t>> strides;  // by operand
};

Batch BatchOf(std::span<const View> views) {
  std::vector<View> heads(views.begin(), views.end());
  for (View& view : heads) view.axes.resize(view.axes.size() - 2);
  Batch batch;
  batch.strides.resize(views.size());
  // The operands are single or repeated dimensions here, so that a common nest exists; the
  // destination decides the order.
  const auto nest = MakeLoopNest(heads, views.size() - 1);
  std::vector<LoopDim> loops = nest->outer;
  if (nest->inner.size > 1) loops.push_back(nest->inner);
  for (const LoopDim& loop : loops) {
    batch.sizes.push_back(loop.size);
    for (size_t i = 0; i < views.size(); ++i) batch.strides[i].push_back(loop.strides[i]);
  }
  return batch;
}

// True if the batch axes of all three can be walked together.
bool BatchesFit(std::span<const View> views) {
  std::vector<View> heads(views.begin(), views.end());
  for (View& view : heads) view.axes.resize(view.axes.size() - 2);
  return MakeLoopNest(heads, 0).has_value();
}

Status FinishProduct(Lowering& lowering, int index, const View& to) {
  const mil::Operation& op = lowering.op(index);
  lowering.Define(op.outputs[0], to);
  if (op.FindArgument("bias") != nullptr) {
    lowering.Fired(CompileRule::kAddBias);
    auto bias = lowering.ArgumentView(op, "bias");
    if (!bias) return bias.error();
    // conv: one number a channel (axis 1); linear: one number a feature (last axis).
    Shape shape = to.shape();
    const size_t axis = op.op == "conv" ? 1 : shape.size() - 1;
    for (size_t i = 0; i < shape.size(); ++i) shape[i] = i == axis ? shape[i] : 1;
    if (NumElements(shape) != bias->elements()) *bias = BroadcastView(*bias, {shape[axis]});
    const View wide = BroadcastView(*ReshapeView(*bias, shape), to.shape());
    const VectorProgram add{2, 3, {{VectorOp::kAdd, 2, {0}, {1}, {}}}, {2}};
    lowering.EmitElementwise("bias", add, {to, wide, to});
  }
  // Of a sum of products nothing but the sum is rounded.
  const ProductSum* sum = lowering.SumOf(index);
  if (sum == nullptr) lowering.EmitRounding(op.outputs[0]);
  if (sum != nullptr && sum->products.back() == index) lowering.EmitRounding(sum->value);
  return {};
}

// Whether product `index` adds to what lies at its destination.
bool Accumulates(const Lowering& lowering, int index) {
  const ProductSum* sum = lowering.SumOf(index);
  return sum != nullptr && sum->products.front() != index;
}

// The product densely, then moved or added to where it belongs.
void EmitDetached(Lowering& lowering, const View& a, const View& b, const View& to,
                  bool accumulate) {
  const View dense = lowering.NewDense(to.shape());
  EmitGemm(lowering, a, b, dense);
  if (!accumulate) return lowering.EmitCopy(dense, to);
  const VectorProgram add{2, 3, {{VectorOp::kAdd, 2, {0}, {1}, {}}}, {2}};
  lowering.EmitElementwise("product", add, {to, dense, to});
}

// The shape of a tensor argument, which may be written as a literal.
const Shape& ArgumentShape(const Lowering& lowering, const mil::Operation& op,
                           std::string_view key) {
  const mil::ValueId value = lowering.ArgumentValue(op, key);
  if (value >= 0) return lowering.type(value).shape;
  return std::get<mil::Constant>(op.FindArgument(key)->value).type().shape;
}

bool IsMatmulProduct(const Lowering& lowering, const mil::Operation& op) {
  const mil::Type& type = lowering.type(op.outputs[0]);
  return IsFloat(type.dtype) && type.elements() > 0 &&
         ArgumentShape(lowering, op, "x").size() >= 2 &&
         ArgumentShape(lowering, op, "y").size() >= 2;
}

bool IsLinearProduct(const Lowering& lowering, const mil::Operation& op) {
  return ArgumentShape(lowering, op, "x").size() >= 2;
}

// A conv of windows of one element, or nothing.
struct PointwiseConv {
  int64_t groups = 1;
  Shape in, out;

  // [n, groups, channels of a group, space]
  std::optional<View> Grouped(const View& view, int64_t channels) const {
    const int64_t space = NumElements({in.begin() + 2, in.end()});
    return ReshapeView(view, {in[0], groups, channels / groups, space});
  }
};

std::optional<PointwiseConv> AsPointwiseConv(const Lowering& lowering, int index) {
  const mil::Operation& op = lowering.op(index);
  const auto call = lowering.CallOf(index);
  if (!call) return std::nullopt;
  const auto all = [](const std::vector<int64_t>& list, int64_t value) {
    return std::all_of(list.begin(), list.end(), [&](int64_t v) { return v == value; });
  };
  const Shape& kernel = ArgumentShape(lowering, op, "weight");
  const bool pointwise = all({kernel.begin() + 2, kernel.end()}, 1) &&
                         all(call->Ints("strides"), 1) &&
                         (call->Text("pad_type", "valid") != "custom" || all(call->Ints("pad"), 0));
  if (!pointwise) return std::nullopt;
  return PointwiseConv{call->Int("groups", 1), ArgumentShape(lowering, op, "x"),
                       lowering.type(op.outputs[0]).shape};
}

}  // namespace

bool IsProductInto(const Lowering& lowering, int index, const View& to) {
  const mil::Operation& op = lowering.op(index);
  if (op.FindArgument("bias") != nullptr) return false;
  if (op.op == "conv") {
    const auto conv = AsPointwiseConv(lowering, index);
    const auto grouped = conv ? conv->Grouped(to, conv->out[1]) : std::nullopt;
    return grouped && AsMatrix(*grouped);
  }
  const bool product = (op.op == "matmul" && IsMatmulProduct(lowering, op)) ||
                       (op.op == "linear" && IsLinearProduct(lowering, op));
  return product && AsMatrix(to);
}

void EmitGemm(Lowering& lowering, View a, View b, const View& to, bool accumulate) {
  if (lowering.ane()) return EmitAneGemm(lowering, a, b, to);
  if (const View views[] = {a, b, to}; !BatchesFit(views)) {
    lowering.Fired(CompileRule::kCopyBatch);
    a = lowering.DenseCopy(a);
    b = lowering.DenseCopy(b);
  }
  const auto matrix = AsMatrix(to);
  if (!matrix) {
    lowering.Fired(CompileRule::kProductMoves);
    return EmitDetached(lowering, a, b, to, accumulate);
  }
  if (matrix->transposed) {
    lowering.Fired(CompileRule::kTransposeProduct);
    return EmitGemm(lowering, Transposed(b), Transposed(a), Transposed(to), accumulate);
  }
  if (!AsMatrix(a) || !AsMatrix(b)) lowering.Fired(CompileRule::kCopyMatrix);
  if (!AsMatrix(a)) a = lowering.DenseCopy(a);
  if (!AsMatrix(b)) b = lowering.DenseCopy(b);
  const Matrix ma = *AsMatrix(a), mb = *AsMatrix(b);
  const size_t rank = to.axes.size();
  math::GemmShape shape;
  shape.m = AxisSize(to.axes[rank - 2]);
  shape.n = AxisSize(to.axes[rank - 1]);
  shape.k = AxisSize(a.axes[rank - 1]);
  shape.transpose_a = ma.transposed;
  shape.transpose_b = mb.transposed;
  shape.lda = ma.leading;
  shape.ldb = mb.leading;
  shape.ldc = matrix->leading;
  shape.accumulate = accumulate;
  const View views[] = {a, b, to};
  Batch batch = BatchOf(views);
  const bool single = NumElements(batch.sizes) == 1;
  const bool narrow = single && IsNarrowProduct(lowering, shape, a);
  const bool rounded = single && !narrow && IsRoundedProduct(lowering, shape, a);
  if (accumulate && narrow) return EmitDetached(lowering, a, b, to, accumulate);
  if (accumulate) lowering.Fired(CompileRule::kAccumulate);
  if (narrow) {
    lowering.Fired(CompileRule::kNarrowProduct);
    return EmitNarrowGemv(lowering, shape, a, b, to);
  }
  if (rounded) return EmitRoundedGemm(lowering, shape, a, b, to);
  lowering.Fired(CompileRule::kProduct);
  lowering.Emit(MakeGemmStep(shape, batch.sizes, {a.buffer, a.offset, batch.strides[0]},
                             {b.buffer, b.offset, batch.strides[1]},
                             {to.buffer, to.offset, batch.strides[2]}, lowering.gemm));
}

Status LowerMatmul(Lowering& lowering, int index) {
  const mil::Operation& op = lowering.op(index);
  const auto call = lowering.CallOf(index);
  if (!call) return call.error();
  if (!IsMatmulProduct(lowering, op)) return LowerGeneric(lowering, index);
  auto x = lowering.ArgumentView(op, "x");
  if (!x) return x.error();
  auto y = lowering.ArgumentView(op, "y");
  if (!y) return y.error();
  const Shape& shape = lowering.type(op.outputs[0]).shape;
  if (call->Bool("transpose_x", false)) *x = Transposed(*x);
  if (call->Bool("transpose_y", false)) *y = Transposed(*y);
  Shape x_shape = shape, y_shape = shape;
  x_shape.back() = AxisSize(x->axes.back());
  y_shape[shape.size() - 2] = x_shape.back();
  const View to = lowering.Destination(op.outputs[0]);
  EmitGemm(lowering, BroadcastView(*x, x_shape), BroadcastView(*y, y_shape), to,
           Accumulates(lowering, index));
  return FinishProduct(lowering, index, to);
}

Status LowerLinear(Lowering& lowering, int index) {
  const mil::Operation& op = lowering.op(index);
  if (!IsLinearProduct(lowering, op)) return LowerGeneric(lowering, index);
  auto x = lowering.ArgumentView(op, "x");
  if (!x) return x.error();
  auto weight = lowering.ArgumentView(op, "weight");
  if (!weight) return weight.error();
  const View to = lowering.Destination(op.outputs[0]);
  Shape shape = to.shape();
  shape[shape.size() - 2] = AxisSize(x->axes.back());
  EmitGemm(lowering, *x, BroadcastView(Transposed(*weight), shape), to,
           Accumulates(lowering, index));
  return FinishProduct(lowering, index, to);
}

Status LowerConv(Lowering& lowering, int index) {
  const mil::Operation& op = lowering.op(index);
  const auto conv = AsPointwiseConv(lowering, index);
  if (!conv) return LowerGeneric(lowering, index);
  auto x = lowering.ArgumentView(op, "x");
  if (!x) return x.error();
  auto weight = lowering.ArgumentView(op, "weight");
  if (!weight) return weight.error();
  lowering.Fired(CompileRule::kPointwiseConv);
  const Shape &in = conv->in, &out = conv->out;
  const int64_t groups = conv->groups;
  auto gx = conv->Grouped(*x, in[1]);
  if (!gx) gx = conv->Grouped(lowering.DenseCopy(*x), in[1]);
  auto gw = ReshapeView(*weight, {1, groups, out[1] / groups, in[1] / groups});
  if (!gw)
    gw = ReshapeView(lowering.DenseCopy(*weight), {1, groups, out[1] / groups, in[1] / groups});
  const View to = lowering.Destination(op.outputs[0]);
  const View wide = BroadcastView(*gw, {in[0], groups, out[1] / groups, in[1] / groups});
  if (const auto gto = conv->Grouped(to, out[1])) {
    EmitGemm(lowering, wide, *gx, *gto, Accumulates(lowering, index));
  } else {  // of no sum: see IsProductInto
    lowering.Fired(CompileRule::kProductMoves);
    const View dense = lowering.NewDense(out);
    EmitGemm(lowering, wide, *gx, *conv->Grouped(dense, out[1]));
    lowering.EmitCopy(dense, to);
  }
  return FinishProduct(lowering, index, to);
}

}  // namespace millwright::device::cpu
