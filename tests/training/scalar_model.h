// The loss of a whole network in plain loops, as a function of its parameters: an opinion that
// shares no program, device or host step with the network under test. T may be complex: a
// derivative is then one evaluation away (Squire and Trapp, "Using complex variables to estimate
// derivatives", 1998).
#pragma once

#include <complex>
#include <map>
#include <string>
#include <vector>

#include "kernels/formula.h"
#include "model/tensors.h"

namespace millwright::testing {

template <class T>
class ScalarModel {
 public:
  using Array = std::vector<T>;

  // Of a spec for several sequences too, which the model takes one by one.
  ScalarModel(const kernels::KernelSpec& spec, double act_clip) : spec_(spec), act_clip_(act_clip) {
    spec_.batch = 1;
  }

  std::map<std::string, Array> parameters;  // by tensor name

  // The mean over the sequences of config.seq that `rows` holds one after another; `last_row_bias`
  // as in VocabMap.
  T Loss(const std::vector<int32_t>& rows, const std::vector<int32_t>& targets,
         double last_row_bias = 0) {
    const int64_t seq = spec_.config.seq, sequences = static_cast<int64_t>(rows.size()) / seq;
    T total(0);
    for (int64_t n = 0; n < sequences; ++n) {
      const auto part = [&](const std::vector<int32_t>& all) {
        return std::vector<int32_t>(all.begin() + n * seq, all.begin() + (n + 1) * seq);
      };
      total += SequenceLoss(part(rows), part(targets), last_row_bias);
    }
    return total / static_cast<double>(sequences);
  }

 private:
  T SequenceLoss(const std::vector<int32_t>& rows, const std::vector<int32_t>& targets,
                 double last_row_bias) {
    const auto& c = spec_.config;
    const Array& table = parameters.at("model.embed_tokens.weight");
    Array x(Size(c.dim * c.seq));
    for (int64_t d = 0; d < c.dim; ++d) {
      for (int64_t t = 0; t < c.seq; ++t) {
        x[At(d, t)] = table[Size(rows[Size(t)] * c.dim + d)];
      }
    }
    for (int64_t layer = 0; layer < c.layers; ++layer) x = Layer(layer, x);
    x = Norm(x, parameters.at("model.norm.weight"));
    const Array& classifier = c.tied_embeddings ? table : parameters.at("lm_head.weight");
    return CrossEntropy(x, classifier, targets, last_row_bias);
  }

  static constexpr std::pair<const char*, const char*> kProjections[] = {
      {"wq", "self_attn.q_proj"}, {"wk", "self_attn.k_proj"}, {"wv", "self_attn.v_proj"},
      {"wo", "self_attn.o_proj"}, {"w1", "mlp.gate_proj"},    {"w3", "mlp.up_proj"},
      {"w2", "mlp.down_proj"}};

  static size_t Size(int64_t n) { return static_cast<size_t>(n); }
  size_t At(int64_t row, int64_t t) const { return Size(row * spec_.config.seq + t); }
  const Array& Tensor(int64_t layer, const char* name) const {
    return parameters.at(fmt::format("model.layers.{}.{}.weight", layer, name));
  }

  Array Layer(int64_t layer, const Array& x) {
    kernels::OperandValues<T> v;
    v["xnorm"] = Norm(x, Tensor(layer, "input_layernorm"));
    v["wq"] = Tensor(layer, "self_attn.q_proj");
    v["wk"] = Tensor(layer, "self_attn.k_proj");
    v["wv"] = Tensor(layer, "self_attn.v_proj");
    v["wo"] = Tensor(layer, "self_attn.o_proj");
    v["w1"] = Tensor(layer, "mlp.gate_proj");
    v["w3"] = Tensor(layer, "mlp.up_proj");
    v["w2"] = Tensor(layer, "mlp.down_proj");
    if (spec_.config.qk_norm) {
      v["q_norm"] = Tensor(layer, "self_attn.q_norm");
      v["k_norm"] = Tensor(layer, "self_attn.k_norm");
    }
    for (const auto& [operand, projection] : kProjections) {
      for (const auto& [suffix, part] : {std::pair{"_a", "lora_A"}, {"_b", "lora_B"}}) {
        const auto adapter =
            parameters.find(fmt::format("model.layers.{}.{}.{}.weight", layer, projection, part));
        if (adapter != parameters.end()) v[std::string(operand) + suffix] = adapter->second;
      }
    }
    kernels::Formula<T> formula(spec_, v);
    formula.SdpaFwd();
    formula.WoFwd();
    v["x2"] = x;
    for (size_t i = 0; i < x.size(); ++i) v["x2"][i] += spec_.residual_alpha * v["o"][i];
    v["x2norm"] = Norm(v["x2"], Tensor(layer, "post_attention_layernorm"));
    formula.FfnFused();
    return Clip(v["x_next"]);
  }

  // The factor counts as a constant, as in training: its real part is taken.
  Array Clip(Array x) const {
    if (act_clip_ <= 0) return x;
    double highest = 0;
    for (const T& value : x) highest = std::max(highest, std::fabs(kernels::RealPart(value)));
    if (highest > act_clip_) {
      for (T& value : x) value *= act_clip_ / highest;
    }
    return x;
  }

  Array Norm(const Array& x, const Array& weight) const {
    const auto& c = spec_.config;
    Array y(x.size());
    for (int64_t t = 0; t < c.seq; ++t) {
      T mean(0);
      for (int64_t d = 0; d < c.dim; ++d) mean += x[At(d, t)] * x[At(d, t)];
      const T inverse = 1.0 / std::sqrt(mean / static_cast<double>(c.dim) + c.rms_norm_eps);
      for (int64_t d = 0; d < c.dim; ++d) y[At(d, t)] = x[At(d, t)] * inverse * weight[Size(d)];
    }
    return y;
  }

  T CrossEntropy(const Array& x, const Array& table, const std::vector<int32_t>& targets,
                 double last_row_bias) const {
    const auto& c = spec_.config;
    const int64_t vocab = static_cast<int64_t>(table.size()) / c.dim;
    T total(0);
    for (int64_t t = 0; t < c.seq; ++t) {
      Array logits(Size(vocab), T(0));
      double highest = -INFINITY;
      for (int64_t word = 0; word < vocab; ++word) {
        for (int64_t d = 0; d < c.dim; ++d) {
          logits[Size(word)] += table[Size(word * c.dim + d)] * x[At(d, t)];
        }
        if (word + 1 == vocab) logits[Size(word)] += last_row_bias;
        highest = std::max(highest, kernels::RealPart(logits[Size(word)]));
      }
      T sum(0);
      for (const T& logit : logits) sum += std::exp(logit - highest);
      total += std::log(sum) + highest - logits[Size(targets[Size(t)])];
    }
    return total / static_cast<double>(c.seq);
  }

  kernels::KernelSpec spec_;
  double act_clip_;
};

}  // namespace millwright::testing
