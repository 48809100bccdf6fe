#include <cmath>
#include <limits>

#include "mil/ops/product.h"
#include "mil/ops/rules.h"
#include "mil/ops/softmax_row.h"
#include "mil/ops/walk.h"

namespace millwright::mil {
namespace {

Shape Leading(const Shape& shape) { return {shape.begin(), shape.end() - 2}; }

Status CheckMask(const Call& call, const Shape& batch, int64_t queries, int64_t keys) {
  if (!call.Has("attn_mask")) return {};
  const Type& mask = call.type("attn_mask");
  if (mask.dtype != DType::kBool && mask.dtype != call.type("query").dtype) {
    return call.Bad("'attn_mask' must be bool or {}, found {}", DTypeName(call.type("query").dtype),
                    ToString(mask));
  }
  Shape scores = batch;
  scores.insert(scores.end(), {queries, keys});
  if (BroadcastShapes(mask.shape, scores) == scores) return {};
  return call.Bad("'attn_mask' {} does not broadcast to the scores {}", ShapeToString(mask.shape),
                  ShapeToString(scores));
}

Types Infer(const Call& call) {
  if (Status status = CheckFloat(call, "query"); !status) return status.error();
  for (std::string_view key : {"key", "value"}) {
    if (Status status = CheckSameDType(call, "query", key); !status) return status.error();
  }
  const Shape& query = call.type("query").shape;
  const Shape& key = call.type("key").shape;
  const Shape& value = call.type("value").shape;
  const size_t rank = query.size();
  if (rank < 3 || key.size() != rank || value.size() != rank || Leading(key) != Leading(query) ||
      Leading(value) != Leading(query)) {
    return call.Bad(
        "'query' {}, 'key' {} and 'value' {} must have one rank of at least 3 and agree in all "
        "axes "
        "but the last two",
        ShapeToString(query), ShapeToString(key), ShapeToString(value));
  }
  if (key[rank - 1] != query[rank - 1] || value[rank - 2] != key[rank - 2]) {
    return call.Bad("'query' {} [L, E], 'key' {} [S, E] and 'value' {} [S, EV] do not fit together",
                    ShapeToString(query), ShapeToString(key), ShapeToString(value));
  }
  const Status mask = CheckMask(call, Leading(query), query[rank - 2], key[rank - 2]);
  if (!mask) return mask.error();
  Type result = call.type("query");
  result.shape.back() = value.back();
  return std::vector<Type>{result};
}

// Adds the mask to the scores of one head; a bool mask removes where it is false.
void AddMask(const Array& mask, const double* from, int64_t step_row, int64_t step, int64_t rows,
             int64_t columns, double* scores) {
  const bool boolean = mask.type.dtype == DType::kBool;
  for (int64_t i = 0; i < rows; ++i) {
    for (int64_t j = 0; j < columns; ++j) {
      const double value = from[i * step_row + j * step];
      if (!boolean) {
        *scores++ += value;
      } else if (value == 0.0) {
        *scores++ = -std::numeric_limits<double>::infinity();
      } else {
        ++scores;
      }
    }
  }
}

// The ANE multiplies fp16 numbers only; elsewhere the whole operation is rounded once, at its end.
void RoundOperand(const Numerics& numerics, DType dtype, std::vector<double>* values) {
  if (numerics.precision() != Precision::kAne) return;
  for (double& value : *values) value = numerics.Round(value, dtype);
}

Arrays Evaluate(const Call& call, std::span<const Type> results, const Numerics& numerics) {
  const Array& query = call.array("query");
  const Array& key = call.array("key");
  const Array& value = call.array("value");
  const size_t rank = query.type.shape.size();
  const int64_t l = query.type.shape[rank - 2];
  const int64_t e = query.type.shape[rank - 1];
  const int64_t s = key.type.shape[rank - 2];
  const int64_t ev = value.type.shape[rank - 1];
  const double scale = 1.0 / std::sqrt(static_cast<double>(e));
  const Array* mask = call.Has("attn_mask") ? &call.array("attn_mask") : nullptr;
  Shape scores_shape = Leading(query.type.shape);
  scores_shape.insert(scores_shape.end(), {l, s});
  const Strides mask_strides =
      mask ? BroadcastStrides(mask->type.shape, scores_shape) : Strides(rank, 0);
  // Heads are walked with the mask's steps; `heads` ends in an axis of length 1, the walk's row.
  Shape heads = Leading(query.type.shape);
  Strides steps(mask_strides.begin(), mask_strides.end() - 2);
  heads.push_back(1);
  steps.push_back(0);
  Array result = NewArray(results[0]);
  std::vector<double> scores(static_cast<size_t>(l * s));
  ForEachRow<1>(heads, {steps}, [&](int64_t head, const std::array<int64_t, 1>& offsets) {
    const double* q = query.data.data() + head * l * e;
    std::vector<double> scaled(q, q + l * e);
    for (double& x : scaled) x *= scale;
    RoundOperand(numerics, results[0].dtype, &scaled);
    const std::vector<double> kt = Gathered(key.data.data() + head * s * e, {e, s}, {1, e});
    Product(numerics, scaled.data(), kt.data(), scores.data(), l, s, e);
    if (mask != nullptr) {
      AddMask(*mask, mask->data.data() + offsets[0], mask_strides[rank - 2], mask_strides[rank - 1],
              l, s, scores.data());
    }
    for (int64_t i = 0; i < l; ++i)
      SoftmaxRow(numerics, scores.data() + i * s, static_cast<size_t>(s));
    RoundOperand(numerics, results[0].dtype, &scores);
    Product(numerics, scores.data(), value.data.data() + head * s * ev,
            result.data.data() + head * l * ev, l, ev, s);
  });
  return std::vector<Array>{std::move(result)};
}

}  // namespace

const OpDef k_scaled_dot_product_attention = {
    .name = "scaled_dot_product_attention",
    .doc = R"(
softmax(query key^T / sqrt(E) + mask) value, for every head. The query is scaled before the product.
  query      [B, *H, L, E], fp16 or fp32
  key        [B, *H, S, E]
  value      [B, *H, S, EV]
  attn_mask  broadcasts to [B, *H, L, S]: a float is added to the scores, a bool keeps where it is true;
             a row that is masked completely by a bool gives NaN. Default: no mask
  result     [B, *H, L, EV]
Opset ios18. Source: coremltools, MIL ops, iOS18 transformers.)",
    .params = {{.name = "query"},
               {.name = "key"},
               {.name = "value"},
               {.name = "attn_mask", .required = false}},
    .infer = Infer,
    .evaluate = Evaluate,
    .since = 18,
};

}  // namespace millwright::mil
