#include "train/optimizer.h"

#include <cmath>

#include "math/adamw.h"
#include "math/vector.h"
#include "train/options.h"

namespace millwright::train {
namespace {

using model::TensorRole;

enum class Group { kAttention, kFfn, kEmbedding, kNorm };

Group GroupOf(TensorRole role) {
  switch (role) {
    case TensorRole::kEmbedding:
    case TensorRole::kLmHead:
      return Group::kEmbedding;
    case TensorRole::kWq:
    case TensorRole::kWk:
    case TensorRole::kWv:
    case TensorRole::kWo:
      return Group::kAttention;
    case TensorRole::kW1:
    case TensorRole::kW2:
    case TensorRole::kW3:
      return Group::kFfn;
    default:
      return Group::kNorm;
  }
}

template <class T>
double EmbeddingSquares(Parameter<T>& p, const data::VocabMap& vocab) {
  if (!vocab.has_shared_row()) return math::SumOfSquares(p.count(), p.grad.data());
  const int64_t own = p.count() - p.columns;
  const auto inactive = static_cast<double>(vocab.inactive_count());
  T* shared = p.grad.data() + own;
  math::Scale(p.columns, 1.0 / inactive, shared);
  return math::SumOfSquares(own, p.grad.data()) + inactive * math::SumOfSquares(p.columns, shared);
}

void UpdateTensor(const math::AdamW& adam, Parameter<float>& p) {
  if (p.m_bf16.size() > 0) {
    math::AdamWUpdate(adam, p.count(), p.value.data(), p.grad.data(), p.m_bf16.data(),
                      p.v_bf16.data());
  } else {
    math::AdamWUpdate(adam, p.count(), p.value.data(), p.grad.data(), p.m.data(), p.v.data());
  }
}

void UpdateTensor(const math::AdamW& adam, Parameter<double>& p) {
  math::AdamWUpdate(adam, p.count(), p.value.data(), p.grad.data(), p.m.data(), p.v.data());
}

}  // namespace

template <class T>
GradientNorms MeasureGradients(ParameterSet<T>& parameters, const data::VocabMap& vocab,
                               double gradient_scale) {
  double squares[4] = {};
  for (Parameter<T>& p : parameters.all()) {
    if (!p.trained) continue;
    const Group group = GroupOf(p.spec.role);
    squares[static_cast<size_t>(group)] += group == Group::kEmbedding
                                               ? EmbeddingSquares(p, vocab)
                                               : math::SumOfSquares(p.count(), p.grad.data());
  }
  GradientNorms norms;
  norms.total = std::sqrt(squares[0] + squares[1] + squares[2] + squares[3]) * gradient_scale;
  norms.attn = std::sqrt(squares[0]) * gradient_scale;
  norms.ffn = std::sqrt(squares[1]) * gradient_scale;
  norms.embed = std::sqrt(squares[2]) * gradient_scale;
  norms.finite = std::isfinite(norms.total);
  return norms;
}

template <class T>
void Update(ParameterSet<T>& parameters, const GradientNorms& norms, const UpdateOptions& options) {
  double scale = options.gradient_scale;
  if (options.clip > 0 && norms.total > options.clip) scale *= options.clip / norms.total;
  for (Parameter<T>& p : parameters.all()) {
    if (!p.trained) continue;
    const math::AdamW adam = {.lr = options.lr,
                              .beta1 = options.beta1,
                              .beta2 = options.beta2,
                              .eps = kAdamEps,
                              .weight_decay = p.spec.decay ? options.weight_decay : 0.0,
                              .grad_scale = scale,
                              .step = options.adam_step};
    UpdateTensor(adam, p);
  }
  parameters.ClearGradients();
}

template GradientNorms MeasureGradients(ParameterSet<float>&, const data::VocabMap&, double);
template GradientNorms MeasureGradients(ParameterSet<double>&, const data::VocabMap&, double);
template void Update(ParameterSet<float>&, const GradientNorms&, const UpdateOptions&);
template void Update(ParameterSet<double>&, const GradientNorms&, const UpdateOptions&);

}  // namespace millwright::train
