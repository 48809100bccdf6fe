// Attention as one step by blocks of queries.
#include "device/cpu/lowering.h"

namespace millwright::device::cpu {
namespace {

// Scores at or below it are as good as removed: exp(-1e4) is zero in fp32 and fp64 alike.
constexpr double kRemoved = -1e4;

View Channels(const View& view) { return TransposeView(view, std::vector<int64_t>{0, 1, 3, 2}); }

// A view [batch, heads, seq, head_dim] as math/attention.h takes it: positions contiguous, and
// sequences and heads at constant distances, of which each may be repeated (`repeats` becomes how
// often). Nothing otherwise.
std::optional<HeadsOperand> AsHeads(const View& view, int64_t* repeats) {
  const auto batch = SingleDim(view.axes[0]);
  const auto positions = SingleDim(view.axes[2]);
  const auto channels = SingleDim(view.axes[3]);
  if (!batch || !positions || !channels || (positions->size > 1 && positions->stride != 1)) {
    return std::nullopt;
  }
  Axis heads = view.axes[1];
  *repeats = 1;
  if (!heads.empty() && heads.back().stride == 0) {
    *repeats = heads.back().size;
    heads.pop_back();
  }
  if (heads.size() > 1) return std::nullopt;
  const int64_t stride = heads.empty() ? 0 : heads[0].stride;
  return HeadsOperand{view.buffer, view.offset, stride, channels->stride, batch->stride};
}

// A copy in which every head lies once, which AsHeads takes.
View CopyHeads(Lowering& lowering, const View& view) {
  lowering.Fired(CompileRule::kCopyHeads);
  const View copy = lowering.NewDense(Channels(view).shape());
  lowering.EmitCopy(Channels(view), copy);
  return Channels(copy);
}

// A view as AsHeads gives it, through a copy where it does not fit.
HeadsOperand ReadHeads(Lowering& lowering, const View& view, int64_t* repeats) {
  if (auto heads = AsHeads(view, repeats)) return *heads;
  return *AsHeads(CopyHeads(lowering, view), repeats);
}

// The same for queries and gradients, whose heads attention does not repeat.
HeadsOperand ReadEveryHead(Lowering& lowering, const View& view) {
  int64_t repeats = 1;
  if (auto heads = AsHeads(view, &repeats); heads && repeats == 1) return *heads;
  return *AsHeads(CopyHeads(lowering, view), &repeats);
}

// Keys and values have to agree on how often their heads are repeated.
struct KeysAndValues {
  HeadsOperand k, v;
  int64_t repeats = 1;
};

KeysAndValues ReadKeysAndValues(Lowering& lowering, const View& k, const View& v) {
  KeysAndValues result;
  int64_t repeats_v = 1;
  result.k = ReadHeads(lowering, k, &result.repeats);
  result.v = ReadHeads(lowering, v, &repeats_v);
  if (result.repeats == repeats_v) return result;
  result.k = *AsHeads(CopyHeads(lowering, k), &result.repeats);
  result.v = *AsHeads(CopyHeads(lowering, v), &repeats_v);
  return result;
}

// A destination for `value`, [batch, heads, seq, head_dim]; `to` is where it has to be copied
// afterwards, if it has a place and could not be written there.
struct HeadsResult {
  HeadsOperand heads;
  View written;
  std::optional<View> to;
};

HeadsResult WriteHeads(Lowering& lowering, mil::ValueId value) {
  const View wanted = lowering.Destination(value);
  int64_t repeats = 1;
  if (const auto heads = AsHeads(wanted, &repeats); heads && repeats == 1) {
    return {*heads, wanted, std::nullopt};
  }
  const View dense = Channels(lowering.NewDense(Channels(wanted).shape()));
  const HeadsOperand heads = *AsHeads(dense, &repeats);
  if (!lowering.state(value).placement) return {heads, dense, std::nullopt};
  return {heads, dense, wanted};
}

void FinishHeads(Lowering& lowering, mil::ValueId value, const HeadsResult& result) {
  if (result.to) lowering.EmitCopy(result.written, *result.to);
  lowering.Define(value, result.to ? *result.to : result.written);
  lowering.EmitRounding(value);
}

// Whether a mask of [seq, seq] removes exactly the keys behind each query.
bool IsCausal(const std::vector<double>& mask, int64_t seq) {
  for (int64_t query = 0; query < seq; ++query) {
    for (int64_t key = 0; key < seq; ++key) {
      const double value = mask[static_cast<size_t>(query * seq + key)];
      if (key <= query ? value != 0.0 : value > kRemoved) return false;
    }
  }
  return true;
}

// Sets `shape.causal`, or gives the buffer of a mask that has to be added.
Result<int> ReadMask(Lowering& lowering, const ScorePattern& scores, math::AttentionShape* shape) {
  shape->causal = false;
  if (scores.mask < 0) return -1;
  const auto view = lowering.ViewOf(scores.mask);
  if (!view) return view.error();
  const std::vector<double> mask = lowering.ConstantElements(*view);
  shape->causal = IsCausal(mask, shape->seq);
  lowering.Fired(shape->causal ? CompileRule::kCausalMask : CompileRule::kAddMask);
  if (shape->causal) return -1;
  return lowering.AddConstant({shape->seq, shape->seq}, mask).buffer;
}

math::AttentionShape ShapeOf(const Lowering& lowering, const ScorePattern& scores, double scale) {
  const Shape& heads = lowering.type(scores.k).shape;
  return {.heads = heads[1],
          .kv_heads = heads[1],
          .head_dim = heads[3],
          .seq = heads[2],
          .scale = scale,
          .batch = heads[0]};
}

// Where the renamed value lies, also where no operation of its own gives it that form.
Result<View> ViewOf(Lowering& lowering, const Renamed& value) {
  auto view = lowering.ViewOf(value.root);
  if (!view) return view.error();
  for (int index : value.renaming) {
    const mil::Operation& op = lowering.op(index);
    if (op.op == "transpose") {
      const auto call = lowering.CallOf(index);
      if (!call) return call.error();
      *view = TransposeView(*view, call->Ints("perm"));
      continue;
    }
    const Shape& shape = lowering.type(op.outputs[0]).shape;
    if (!ReshapeView(*view, shape)) *view = lowering.DenseCopy(*view);
    *view = *ReshapeView(*view, shape);
  }
  return *view;
}

}  // namespace

Status LowerAttention(Lowering& lowering, const AttentionPattern& p) {
  lowering.Fired(CompileRule::kAttention);
  math::AttentionShape shape = ShapeOf(lowering, p.scores, p.scale);
  AttentionOperands operands;
  const auto mask = ReadMask(lowering, p.scores, &shape);
  const auto q = ViewOf(lowering, p.q);
  const auto k = lowering.ViewOf(p.scores.k), v = lowering.ViewOf(p.v);
  for (const auto* view : {&q, &k, &v}) {
    if (!*view) return view->error();
  }
  if (!mask) return mask.error();
  operands.mask = *mask;
  operands.q = ReadEveryHead(lowering, *q);
  const KeysAndValues kv = ReadKeysAndValues(lowering, *k, *v);
  operands.k = kv.k;
  operands.v = kv.v;
  shape.kv_heads = shape.heads / kv.repeats;
  const HeadsResult out = WriteHeads(lowering, p.out);
  operands.out = out.heads;
  operands.scratch = lowering.plan.AddArena(math::AttentionForwardScratch(shape));
  lowering.Emit(MakeAttentionStep(shape, operands));
  FinishHeads(lowering, p.out, out);
  return {};
}

Status LowerAttentionBackward(Lowering& lowering, const AttentionBackwardPattern& p) {
  lowering.Fired(CompileRule::kAttentionBackward);
  math::AttentionShape shape = ShapeOf(lowering, p.scores, p.scale);
  shape.kv_gradients_per_query_head = true;
  AttentionBackwardOperands operands;
  const auto mask = ReadMask(lowering, p.scores, &shape);
  const auto q = ViewOf(lowering, p.q);
  const auto k = lowering.ViewOf(p.scores.k), v = lowering.ViewOf(p.v), da = lowering.ViewOf(p.da);
  for (const auto* view : {&q, &k, &v, &da}) {
    if (!*view) return view->error();
  }
  if (!mask) return mask.error();
  operands.mask = *mask;
  operands.q = ReadEveryHead(lowering, *q);
  operands.dout = ReadEveryHead(lowering, *da);
  const KeysAndValues kv = ReadKeysAndValues(lowering, *k, *v);
  operands.k = kv.k;
  operands.v = kv.v;
  shape.kv_heads = shape.heads / kv.repeats;
  const HeadsResult dq = WriteHeads(lowering, p.dq), dk = WriteHeads(lowering, p.dk),
                    dv = WriteHeads(lowering, p.dv);
  operands.dq = dq.heads;
  operands.dk = dk.heads;
  operands.dv = dv.heads;
  operands.scratch = lowering.plan.AddArena(math::AttentionBackwardScratch(shape));
  lowering.Emit(MakeAttentionBackwardStep(shape, operands));
  FinishHeads(lowering, p.dq, dq);
  FinishHeads(lowering, p.dk, dk);
  FinishHeads(lowering, p.dv, dv);
  return {};
}

}  // namespace millwright::device::cpu
