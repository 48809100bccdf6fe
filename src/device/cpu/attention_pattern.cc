#include "device/cpu/attention_pattern.h"

#include <algorithm>

#include "device/cpu/lowering.h"

namespace millwright::device::cpu {
namespace {

using mil::ValueId;

// Reads a program backwards from a value, one expected operation at a time, and keeps the
// operations it passed.
class Matcher {
 public:
  explicit Matcher(Lowering& lowering) : lowering_(&lowering) {}

  // The operation `name` that defines `value`, or null.
  const mil::Operation* Defined(ValueId value, std::string_view name) {
    if (value < 0) return nullptr;
    const mil::Operation* op = lowering_->Definition(value);
    return op != nullptr && op->op == name ? op : nullptr;
  }

  // The same, and the operation belongs to the pattern.
  const mil::Operation* Take(ValueId value, std::string_view name) {
    const mil::Operation* op = Defined(value, name);
    if (op != nullptr) covered_.push_back(lowering_->state(value).definition);
    return op;
  }

  ValueId Argument(const mil::Operation& op, std::string_view key) const {
    return lowering_->ArgumentValue(op, key);
  }

  // A matmul with exactly these flags.
  const mil::Operation* TakeMatmul(ValueId value, bool transpose_x, bool transpose_y) {
    if (!IsMatmul(value, transpose_x, transpose_y)) return nullptr;
    return Take(value, "matmul");
  }
  bool IsMatmul(ValueId value, bool transpose_x, bool transpose_y) {
    if (Defined(value, "matmul") == nullptr) return false;
    const auto call = lowering_->CallOf(lowering_->state(value).definition);
    return call && call->Bool("transpose_x", false) == transpose_x &&
           call->Bool("transpose_y", false) == transpose_y;
  }

  // value = x * constant or constant * x: x and the constant.
  bool TakeScale(ValueId value, ValueId* x, double* scale) {
    const mil::Operation* op = Defined(value, "mul");
    if (op == nullptr) return false;
    for (const auto& [a, b] : {std::pair{"x", "y"}, std::pair{"y", "x"}}) {
      const ValueId factor = Argument(*op, b);
      if (factor < 0 || Argument(*op, a) < 0) continue;
      const auto constant = lowering_->ConstantScalar(factor);
      if (!constant || !*constant) continue;
      *x = Argument(*op, a);
      *scale = **constant;
      covered_.push_back(lowering_->state(value).definition);
      return true;
    }
    return false;
  }

  // The two operands of a commutative or other binary operation.
  bool TakeBinary(ValueId value, std::string_view name, ValueId* x, ValueId* y) {
    const mil::Operation* op = Take(value, name);
    if (op == nullptr) return false;
    *x = Argument(*op, "x");
    *y = Argument(*op, "y");
    return *x >= 0 && *y >= 0;
  }

  bool SumsLastAxis(ValueId value, std::string_view name) {
    const mil::Operation* op = Defined(value, name);
    if (op == nullptr) return false;
    const auto call = lowering_->CallOf(lowering_->state(value).definition);
    if (!call) return false;
    const auto last = static_cast<int64_t>(lowering_->type(Argument(*op, "x")).shape.size()) - 1;
    const std::vector<int64_t> axes =
        name == "softmax" ? std::vector{call->Int("axis", -1)} : call->Ints("axes");
    return axes.size() == 1 && (axes[0] == -1 || axes[0] == last) &&
           (name == "softmax" || call->Bool("keep_dims", false));
  }

  // True if every user of `value` is covered.
  bool OnlyInside(ValueId value) const {
    const auto& users = lowering_->state(value).users;
    return std::all_of(users.begin(), users.end(), [&](int user) {
      return std::find(covered_.begin(), covered_.end(), user) != covered_.end();
    });
  }

  void Cover(int index) { covered_.push_back(index); }
  const std::vector<int>& covered() const { return covered_; }

 private:
  Lowering* lowering_;
  std::vector<int> covered_;
};

bool IsConstantMask(Lowering& lowering, ValueId value, int64_t seq) {
  if (!lowering.state(value).constant) return false;
  const Shape& shape = lowering.type(value).shape;
  return NumElements(shape) == seq * seq && shape.size() >= 2 && shape.back() == seq;
}

// From the result of softmax back to q, k and the mask.
bool MatchScores(Lowering& lowering, Matcher& m, ValueId probs, ScorePattern* p) {
  p->probs = probs;
  const Shape& shape = lowering.type(probs).shape;
  if (shape.size() != 4 || shape[2] != shape[3]) return false;
  if (!m.SumsLastAxis(probs, "softmax")) return false;
  ValueId scores = m.Argument(*m.Take(probs, "softmax"), "x");
  ValueId x = -1, y = -1;
  if (m.Defined(scores, "add") != nullptr) {
    if (!m.TakeBinary(scores, "add", &x, &y)) return false;
    if (!IsConstantMask(lowering, y, shape[3])) std::swap(x, y);
    if (!IsConstantMask(lowering, y, shape[3])) return false;
    scores = x;
    p->mask = y;
  }
  if (m.TakeScale(scores, &x, &p->scale)) scores = x;
  const mil::Operation* product = m.TakeMatmul(scores, false, true);
  if (product == nullptr) return false;
  p->q = m.Argument(*product, "x");
  p->k = m.Argument(*product, "y");
  return p->q >= 0 && p->k >= 0 && lowering.type(p->q).shape == lowering.type(p->k).shape;
}

// Results of covered operations must not be seen from outside, but for the pattern's outputs.
bool IsClosed(Lowering& lowering, const Matcher& m, const std::vector<ValueId>& outputs) {
  return std::all_of(m.covered().begin(), m.covered().end(), [&](int index) {
    const ValueId value = lowering.op(index).outputs[0];
    const bool output = std::find(outputs.begin(), outputs.end(), value) != outputs.end();
    const bool free = lowering.group[static_cast<size_t>(index)] == index;
    return free && (output || m.OnlyInside(value));
  });
}

// Whether `value` is known before operation `index` is lowered.
bool DefinedBefore(Lowering& lowering, ValueId value, int index) {
  return lowering.state(value).definition < index;
}

void Claim(Lowering& lowering, const Matcher& m, int root) {
  for (int index : m.covered()) lowering.group[static_cast<size_t>(index)] = root;
}

// The value that `value` is renamed from by reshapes and transposes.
Renamed Unrename(Lowering& lowering, ValueId value) {
  Renamed result{value, {}};
  while (true) {
    const mil::Operation* op = lowering.Definition(result.root);
    if (op == nullptr || (op->op != "reshape" && op->op != "transpose")) break;
    result.renaming.insert(result.renaming.begin(), lowering.state(result.root).definition);
    result.root = lowering.ArgumentValue(*op, "x");
  }
  return result;
}

bool SameRenaming(Lowering& lowering, const std::vector<int>& a, const std::vector<int>& b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    const mil::Operation &x = lowering.op(a[i]), &y = lowering.op(b[i]);
    if (x.op != y.op) return false;
    if (lowering.type(x.outputs[0]).shape != lowering.type(y.outputs[0]).shape) return false;
    if (x.op != "transpose") continue;
    const auto call_x = lowering.CallOf(a[i]), call_y = lowering.CallOf(b[i]);
    if (!call_x || !call_y || call_x->Ints("perm") != call_y->Ints("perm")) return false;
  }
  return true;
}

// Sets p's plain queries and scale: a factor on the queries that nothing but the scores sees joins
// the scale.
void TakeQueries(Lowering& lowering, Matcher& m, AttentionPattern* p) {
  p->q.root = p->scores.q;
  p->scale = p->scores.scale;
  const Renamed scaled = Unrename(lowering, p->scores.q);
  Matcher with_scale = m;
  ValueId plain = -1;
  double scale = 1;
  if (!with_scale.TakeScale(scaled.root, &plain, &scale)) return;
  if (lowering.type(plain).shape != lowering.type(scaled.root).shape) return;
  for (int index : scaled.renaming) with_scale.Cover(index);
  if (!IsClosed(lowering, with_scale, {p->out})) return;
  m = std::move(with_scale);
  p->q = {plain, scaled.renaming};
  p->scale *= scale;
}

// Whether scores and ds carry the same factor on the same plain queries; sets p's q and scale.
bool MatchQueries(Lowering& lowering, Matcher& m, ValueId q_plain, double ds_scale,
                  AttentionBackwardPattern* p) {
  p->scale = ds_scale;
  p->q = Unrename(lowering, q_plain);
  if (p->scores.q == q_plain) return p->scores.scale == ds_scale;
  const Renamed scaled = Unrename(lowering, p->scores.q);
  ValueId root = -1;
  double scale = 1;
  if (p->scores.scale != 1 || !m.TakeScale(scaled.root, &root, &scale)) return false;
  for (int index : scaled.renaming) m.Cover(index);
  return root == p->q.root && scale == ds_scale &&
         SameRenaming(lowering, scaled.renaming, p->q.renaming);
}

// ds = [scale *] probs * (dp - sum(probs * dp)).
bool MatchScoreGradient(Lowering& lowering, Matcher& m, ValueId ds, double* scale,
                        AttentionBackwardPattern* p) {
  ValueId x = -1, y = -1;
  if (m.TakeScale(ds, &x, scale)) ds = x;
  if (!m.TakeBinary(ds, "mul", &x, &y)) return false;
  if (m.Defined(x, "sub") != nullptr) std::swap(x, y);
  const ValueId probs = x;
  ValueId dp = -1, sum = -1;
  if (!m.TakeBinary(y, "sub", &dp, &sum) || !m.SumsLastAxis(sum, "reduce_sum")) return false;
  const ValueId product = m.Argument(*m.Take(sum, "reduce_sum"), "x");
  if (!m.TakeBinary(product, "mul", &x, &y)) return false;
  if (!((x == probs && y == dp) || (x == dp && y == probs))) return false;
  const mil::Operation* from_da = m.TakeMatmul(dp, false, true);
  if (from_da == nullptr) return false;
  p->da = m.Argument(*from_da, "x");
  p->v = m.Argument(*from_da, "y");
  return p->da >= 0 && p->v >= 0 && MatchScores(lowering, m, probs, &p->scores);
}

// A user of `value` that is a matmul with these flags and has it as its first operand.
int ProductOf(Lowering& lowering, Matcher& m, ValueId value, bool transpose_x) {
  for (int user : lowering.state(value).users) {
    if (user >= static_cast<int>(lowering.function.operations.size())) continue;
    const mil::Operation& op = lowering.op(user);
    if (m.IsMatmul(op.outputs[0], transpose_x, false) && m.Argument(op, "x") == value) return user;
  }
  return -1;
}

// Whether the two other products of the pattern around `dq` = ds k exist.
bool MatchBackwardAt(Lowering& lowering, int dq_index, Matcher& m, AttentionBackwardPattern* p) {
  p->dq = lowering.op(dq_index).outputs[0];
  const mil::Operation* product = m.TakeMatmul(p->dq, false, false);
  if (product == nullptr) return false;
  const ValueId ds = m.Argument(*product, "x"), k = m.Argument(*product, "y");
  double ds_scale = 1;
  if (ds < 0 || !MatchScoreGradient(lowering, m, ds, &ds_scale, p) || k != p->scores.k)
    return false;
  const int dk = ProductOf(lowering, m, ds, true);
  const int dv = ProductOf(lowering, m, p->scores.probs, true);
  if (dk < 0 || dv < 0) return false;
  p->dk = lowering.op(dk).outputs[0];
  p->dv = lowering.op(dv).outputs[0];
  const ValueId q_plain = m.Argument(*m.TakeMatmul(p->dk, true, false), "y");
  if (m.Argument(*m.TakeMatmul(p->dv, true, false), "y") != p->da || q_plain < 0) return false;
  if (!MatchQueries(lowering, m, q_plain, ds_scale, p)) return false;
  p->root = std::min({dq_index, dk, dv});
  for (ValueId input : {p->q.root, p->scores.k, p->v, p->da}) {
    if (!DefinedBefore(lowering, input, p->root)) return false;
  }
  return true;
}

}  // namespace

void MatchAttention(Lowering& lowering) {
  for (int i = 0; i < static_cast<int>(lowering.function.operations.size()); ++i) {
    Matcher m(lowering);
    AttentionPattern p;
    if (lowering.op(i).op != "matmul") continue;
    p.root = i;
    p.out = lowering.op(i).outputs[0];
    const mil::Operation* product = m.TakeMatmul(p.out, false, false);
    if (product == nullptr) continue;
    p.v = m.Argument(*product, "y");
    if (p.v < 0 || !MatchScores(lowering, m, m.Argument(*product, "x"), &p.scores)) continue;
    if (lowering.type(p.v).shape != lowering.type(p.scores.k).shape) continue;
    if (!IsClosed(lowering, m, {p.out})) continue;
    TakeQueries(lowering, m, &p);
    Claim(lowering, m, i);
    lowering.attention.push_back(p);
  }
}

void MatchAttentionBackward(Lowering& lowering) {
  for (int i = 0; i < static_cast<int>(lowering.function.operations.size()); ++i) {
    if (lowering.op(i).op != "matmul") continue;
    Matcher m(lowering);
    AttentionBackwardPattern p;
    if (!MatchBackwardAt(lowering, i, m, &p)) continue;
    if (!IsClosed(lowering, m, {p.dv, p.dq, p.dk})) continue;
    Claim(lowering, m, p.root);
    lowering.attention_backward.push_back(p);
  }
}

}  // namespace millwright::device::cpu
