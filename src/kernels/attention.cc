#include "kernels/attention.h"

#include <cmath>
#include <utility>

#include "kernels/tables.h"

namespace millwright::kernels {

using Value = Emitter::Value;

Value SplitHeads(Emitter& e, std::string_view id, Value x, int64_t heads) {
  const Shape shape = e.b().type(x).shape;
  const std::string base(id);
  const int64_t batch = e.batch(), channels = shape[1] / heads;
  if (batch == 1) {
    const Value split = e.b().Reshape(base + "_c", x, {1, heads, channels, shape[3]});
    return e.b().Transpose(id, split, {0, 1, 3, 2});
  }
  const Value split = e.b().Reshape(base + "_c", x, {heads, channels, batch, shape[3] / batch});
  return e.b().Transpose(id, split, {2, 0, 3, 1});
}

Value MergeHeads(Emitter& e, std::string_view id, Value x) {
  const Shape shape = e.b().type(x).shape;
  const std::string base(id);
  if (shape[0] == 1) {
    const Value channels = e.b().Transpose(base + "_c", x, {0, 1, 3, 2});
    return e.b().Reshape(id, channels, {1, shape[1] * shape[3], 1, shape[2]});
  }
  const Value channels = e.b().Transpose(base + "_c", x, {1, 3, 0, 2});
  return e.b().Reshape(id, channels, {1, shape[1] * shape[3], 1, shape[0] * shape[2]});
}

Value FlattenScores(Emitter& e, std::string_view id, Value x) {
  const Shape shape = e.b().type(x).shape;
  const Shape flat = {1, shape[1] * shape[2], 1, shape[0] * shape[3]};
  if (shape[0] == 1) return e.b().Reshape(id, x, flat);
  const std::string base(id);
  return e.b().Reshape(id, e.b().Transpose(base + "_c", x, {1, 2, 0, 3}), flat);
}

Value SplitScores(Emitter& e, const model::ModelConfig& config, std::string_view id, Value x) {
  const int64_t seq = config.seq;
  if (e.batch() == 1) return e.b().Reshape(id, x, {1, config.heads, seq, seq});
  const std::string base(id);
  const Value split = e.b().Reshape(base + "_c", x, {config.heads, seq, e.batch(), seq});
  return e.b().Transpose(id, split, {2, 0, 1, 3});
}

Value QkNorm(Emitter& e, const model::ModelConfig& config, std::string_view id, Value x,
             int64_t heads, std::string_view weight) {
  const Shape shape = e.b().type(x).shape;
  const std::string base(id);
  const Value split = e.b().Reshape(base + "_s", x, {1, heads, config.head_dim, shape[3]});
  // Scaled before squaring, so that the sum is a mean and stays small.
  const double root = 1.0 / std::sqrt(static_cast<double>(config.head_dim));
  const Value small = e.b().Mul(base + "_d", split, e.Float(root));
  const Value square = e.b().Mul(base + "_sq", small, small);
  const Value mean = e.b().ReduceSum(base + "_ms", square, 2);
  const Value with_eps = e.b().Add(base + "_eps", mean, e.Float(config.rms_norm_eps));
  const Value inverse = e.b().Op("pow", base + "_r", {{"x", with_eps}, {"y", e.Float(-0.5)}});
  const Value unit = e.b().Mul(base + "_u", split, inverse);
  const Value scaled = e.b().Mul(base + "_n", unit, e.Vector(weight, shape[3]));
  return e.b().Reshape(id, scaled, shape);
}

namespace {

bool IsHalfSplit(const model::ModelConfig& config) {
  return config.rotary == model::RotaryLayout::kHalfSplit;
}

Shape RotaryShape(const Emitter& e, const model::ModelConfig& config) {
  const int64_t half = config.head_dim / 2, columns = e.batch() * config.seq;
  return IsHalfSplit(config) ? Shape{1, 1, half, columns} : Shape{1, half, 1, columns};
}

// Which channel of a head is the partner of channel `c`, and the sign that it gets: (a, b) becomes
// (-b, a).
std::pair<int64_t, double> Partner(const model::ModelConfig& config, int64_t c) {
  const int64_t half = config.head_dim / 2;
  if (IsHalfSplit(config)) return c < half ? std::pair(c + half, -1.0) : std::pair(c - half, 1.0);
  return c % 2 == 0 ? std::pair(c + 1, -1.0) : std::pair(c - 1, 1.0);
}

// A table [head_dim / 2, columns] with a row for every channel of a head.
std::vector<double> ByChannel(const model::ModelConfig& config, const std::vector<double>& table) {
  const int64_t half = config.head_dim / 2;
  const size_t columns = table.size() / static_cast<size_t>(half);
  std::vector<double> rows;
  for (int64_t c = 0; c < config.head_dim; ++c) {
    const auto pair = static_cast<size_t>(IsHalfSplit(config) ? c % half : c / 2);
    const auto row = table.begin() + static_cast<int64_t>(pair * columns);
    rows.insert(rows.end(), row, row + static_cast<int64_t>(columns));
  }
  return rows;
}

// The matrix P that turns the channels (a, b) of a pair into (-b, a), as the weight of a conv.
Value TurningMatrix(Emitter& e, const model::ModelConfig& config) {
  const int64_t d = config.head_dim;
  std::vector<double> matrix(static_cast<size_t>(d * d), 0.0);
  for (int64_t c = 0; c < d; ++c) {
    const auto [partner, sign] = Partner(config, c);
    matrix[static_cast<size_t>(c * d + partner)] = sign;
  }
  return e.Table("rope_turn.bin", {d, d, 1, 1}, matrix);
}

// x cos + (P x) sin: a conv over the channels of a head, without a slice or a concat (facts A29 and
// E8).
Value RotateByMatrix(Emitter& e, const model::ModelConfig& config, std::string_view id, Value x,
                     int64_t heads, const RotaryValues& rotary) {
  const Shape shape = e.b().type(x).shape;
  const std::string base(id);
  const Value split = e.b().Reshape(base + "_h", x, {1, heads, config.head_dim, shape[3]});
  const Value channels = e.b().Transpose(base + "_hc", split, {0, 2, 1, 3});
  const Value turned = e.Conv(base + "_turned", channels, rotary.matrix);
  const Value back = e.b().Transpose(base + "_turned_h", turned, {0, 2, 1, 3});
  const Value rotated = e.b().Add(base + "_sum", e.b().Mul(base + "_xc", split, rotary.cos),
                                  e.b().Mul(base + "_ts", back, rotary.sin));
  return e.b().Reshape(id, rotated, shape);
}

}  // namespace

RotaryValues RotaryTable(Emitter& e, const model::ModelConfig& config) {
  const RotaryTables tables = MakeRotaryTables(config, config.seq, 0, e.batch());
  if (e.target().rotary_by_matrix) {
    const Shape full = {1, 1, config.head_dim, e.batch() * config.seq};
    return {e.Table("rope_cos.bin", full, ByChannel(config, tables.cos)),
            e.Table("rope_sin.bin", full, ByChannel(config, tables.sin)), TurningMatrix(e, config)};
  }
  const Shape shape = RotaryShape(e, config);
  return {e.Table("rope_cos.bin", shape, tables.cos), e.Table("rope_sin.bin", shape, tables.sin)};
}

RotaryValues RotaryOperands(Emitter& e, const model::ModelConfig& config) {
  const Shape shape = RotaryShape(e, config);
  return {e.b().Reshape("rope_cos", e.Activation("cos"), shape),
          e.b().Reshape("rope_sin", e.Activation("sin"), shape)};
}

Value Rotate(Emitter& e, const model::ModelConfig& config, std::string_view id, Value x,
             int64_t heads, const RotaryValues& rotary) {
  if (rotary.matrix >= 0) return RotateByMatrix(e, config, id, x, heads, rotary);
  const Shape shape = e.b().type(x).shape;
  const int64_t half = config.head_dim / 2;
  const int64_t seq = shape[3];
  const bool half_split = IsHalfSplit(config);
  // The pair index stands on its own axis: before the channels of a half, or behind them.
  const int64_t axis = half_split ? 1 : 2;
  const Shape paired = half_split ? Shape{heads, 2, half, seq} : Shape{heads, half, 2, seq};
  Shape size = paired;
  size[static_cast<size_t>(axis)] = 1;
  Shape second(4, 0);
  second[static_cast<size_t>(axis)] = 1;

  const Value cos = rotary.cos, sin = rotary.sin;
  const std::string base(id);
  const Value pairs = e.b().Reshape(base + "_p", x, paired);
  const Value a = e.b().Slice(base + "_a", pairs, {0, 0, 0, 0}, size);
  const Value b = e.b().Slice(base + "_b", pairs, second, size);
  const Value a_rotated =
      e.b().Sub(base + "_ar", e.b().Mul(base + "_ac", a, cos), e.b().Mul(base + "_bs", b, sin));
  const Value b_rotated =
      e.b().Add(base + "_br", e.b().Mul(base + "_bc", b, cos), e.b().Mul(base + "_as", a, sin));
  const Value joined = e.b().Concat(base + "_j", {a_rotated, b_rotated}, axis);
  return e.b().Reshape(id, joined, shape);
}

void AddQkvWeights(const model::ModelConfig& config, std::vector<Operand>* inputs) {
  for (const auto& [name, rows] :
       {std::pair{"wq", config.q_dim()}, {"wk", config.kv_dim()}, {"wv", config.kv_dim()}}) {
    inputs->push_back({.name = name,
                       .rows = rows,
                       .columns = config.dim,
                       .weight = true,
                       .packed_transposed = true});
  }
  if (!config.qk_norm) return;
  for (const char* name : {"q_norm", "k_norm"}) {
    inputs->push_back({.name = name, .rows = 1, .columns = config.head_dim, .weight = true});
  }
}

Qkv EmitQkv(Emitter& e, const model::ModelConfig& config, const RotaryValues& rotary) {
  const Value x = e.Activation("xnorm");
  Qkv out;
  out.q = out.q_raw = e.Project("q_proj", "wq", x, false);
  out.k = out.k_raw = e.Project("k_proj", "wk", x, false);
  out.v = e.Project("v_proj", "wv", x, false);
  if (config.qk_norm) {
    out.q = QkNorm(e, config, "q_normed", out.q, config.heads, "q_norm");
    out.k = QkNorm(e, config, "k_normed", out.k, config.kv_heads, "k_norm");
  }
  out.q = Rotate(e, config, "q_rope", out.q, config.heads, rotary);
  out.k = Rotate(e, config, "k_rope", out.k, config.kv_heads, rotary);
  return out;
}

Value TileKvHeads(Emitter& e, const model::ModelConfig& config, std::string_view id, Value x) {
  if (config.group() == 1) return x;
  const Shape shape = e.b().type(x).shape;
  std::vector<Value> heads;
  for (int64_t kv = 0; kv < config.kv_heads; ++kv) {
    const Value head = e.b().Slice(fmt::format("{}_{}", id, kv), x, {0, kv, 0, 0},
                                   {shape[0], 1, shape[2], shape[3]});
    heads.insert(heads.end(), static_cast<size_t>(config.group()), head);
  }
  return e.b().Concat(id, heads, 1);
}

Value ReduceToKvHeads(Emitter& e, const model::ModelConfig& config, std::string_view id, Value x) {
  if (config.group() == 1) return x;
  const Shape shape = e.b().type(x).shape;
  std::vector<Value> sums;
  for (int64_t kv = 0; kv < config.kv_heads; ++kv) {
    Value sum = -1;
    for (int64_t j = 0; j < config.group(); ++j) {
      const int64_t head = kv * config.group() + j;
      const Value part = e.b().Slice(fmt::format("{}_h{}", id, head), x, {0, head, 0, 0},
                                     {shape[0], 1, shape[2], shape[3]});
      sum = j == 0 ? part : e.b().Add(fmt::format("{}_s{}", id, head), sum, part);
    }
    sums.push_back(sum);
  }
  return e.b().Concat(id, sums, 1);
}

Value ScaleByHeadDim(Emitter& e, const model::ModelConfig& config, std::string_view id, Value x) {
  return e.b().Mul(id, x, e.Float(1.0 / std::sqrt(static_cast<double>(config.head_dim))));
}

Value CausalProbabilities(Emitter& e, const model::ModelConfig& config, Value q, Value k) {
  const int64_t seq = config.seq;
  const Value scores = e.b().Matmul("scores", q, k, false, true);
  const Value mask = e.Table("mask.bin", {1, 1, seq, seq}, MakeCausalMask(seq));
  const Value masked = e.b().Add("masked", scores, mask);
  return e.b().Softmax("attention", masked, -1);
}

void EmitScoreBackward(Emitter& e, const model::ModelConfig& config, const ScoreBackward& in) {
  const Value weighted = e.b().Mul("p_dp", in.probs, in.dp);
  const Value dot = e.b().ReduceSum("p_dp_sum", weighted, -1);
  const Value centred = e.b().Sub("dp_centred", in.dp, dot);
  const Value ds = ScaleByHeadDim(e, config, "ds", e.b().Mul("ds_unscaled", in.probs, centred));
  const Value dq = e.b().Matmul("dq_heads", ds, in.k, false, false);
  const Value dk_full = e.b().Matmul("dk_full", ds, in.q, true, false);
  e.Output("dq", MergeHeads(e, "dq_channels", dq));
  e.Output("dk", MergeHeads(e, "dk_channels", ReduceToKvHeads(e, config, "dk_heads", dk_full)));
}

}  // namespace millwright::kernels
