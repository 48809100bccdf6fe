// Small networks for tests: every feature that a kernel has to get right, in sizes that plain loops
// can differentiate. Dimensions differ wherever they may, so that a mix-up of two cannot go unseen.
#pragma once

#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "base/rng.h"
#include "data/vocabulary.h"
#include "kernels/kernel.h"
#include "model/config.h"
#include "train/parameters.h"

namespace millwright::testing {

inline model::ModelConfig TinyMha() {
  return {.name = "tiny_mha",
          .title = "Tiny MHA",
          .dim = 16,
          .hidden_dim = 20,
          .layers = 2,
          .heads = 4,
          .kv_heads = 4,
          .head_dim = 4,
          .seq = 6,
          .vocab = 23,
          .rope_theta = 100.0,
          .rms_norm_eps = 1e-5,
          .rotary = model::RotaryLayout::kInterleaved,
          .qk_norm = false};
}

// head_dim is not dim / heads, two query heads share a kv head, QK-norm is on.
inline model::ModelConfig TinyGqa(model::RotaryLayout rotary) {
  return {.name = "tiny_gqa",
          .title = "Tiny GQA",
          .dim = 12,
          .hidden_dim = 20,
          .layers = 2,
          .heads = 4,
          .kv_heads = 2,
          .head_dim = 6,
          .seq = 7,
          .vocab = 19,
          .rope_theta = 1e4,
          .rms_norm_eps = 1e-6,
          .rotary = rotary,
          .qk_norm = true};
}

inline std::vector<model::ModelConfig> TinyConfigs() {
  return {TinyMha(), TinyGqa(model::RotaryLayout::kHalfSplit),
          TinyGqa(model::RotaryLayout::kInterleaved)};
}

// A classifier of its own.
inline model::ModelConfig Untied(model::ModelConfig config) {
  config.tied_embeddings = false;
  return config;
}

inline std::string ConfigName(const model::ModelConfig& config) {
  return std::string(config.name.view()) +
         (config.rotary == model::RotaryLayout::kHalfSplit ? "_half_split" : "_interleaved") +
         (config.tied_embeddings ? "" : "_untied");
}

// Adapters of every projection, with a scale of 1.5.
inline model::LoraConfig LoraEverywhere() {
  return {.rank = 2,
          .alpha = 3,
          .targets =
              *model::ParseLoraTargets("q_proj,k_proj,v_proj,o_proj,gate_proj,up_proj,down_proj")};
}

// Every step that a device may take over; the last of `classes` words has a bias.
inline kernels::Offload OffloadEverything(int64_t classes = 0) {
  kernels::Offload offload = *kernels::ParseOffload("all");
  offload.classes = classes;
  offload.last_class_bias = 1.25;
  return offload;
}

inline constexpr kernels::Binding kBindings[] = {
    kernels::Binding::kPacked, kernels::Binding::kConstant, kernels::Binding::kSeparate};

// All words have a row.
inline data::VocabMap FullVocab(const model::ModelConfig& config) {
  return *data::VocabMap::FromActive(data::VocabMode::kFull, config.vocab, {});
}

// Matrices of deviation 0.3, so that attention and gates are far from linear; norms from
// (0.5, 1.5).
template <class T>
void FillForGradients(train::ParameterSet<T>& parameters, uint64_t seed) {
  for (auto& p : parameters.all()) {
    const Rng rng(seed, StreamId(p.spec.name.c_str()));
    for (int64_t i = 0; i < p.count(); ++i) {
      const auto index = static_cast<uint64_t>(i);
      const double value = p.spec.is_norm() ? 0.5 + rng.Uniform(index) : 0.3 * rng.Normal(index);
      // Multiples of 2^-16: they and their neighbours in a difference quotient are the same numbers
      // in fp32 and fp64, for every device and binding.
      p.value[static_cast<size_t>(i)] = static_cast<T>(std::round(value * 0x1p16) * 0x1p-16);
    }
  }
}

// Of `batch` sequences, one after another.
inline std::vector<int32_t> RandomRows(const model::ModelConfig& config, uint64_t stream,
                                       int64_t batch = 1) {
  const Rng rng(7, stream);
  std::vector<int32_t> rows(static_cast<size_t>(batch * config.seq));
  for (size_t i = 0; i < rows.size(); ++i) {
    rows[i] = static_cast<int32_t>(rng.Below(i, static_cast<uint64_t>(config.vocab)));
  }
  return rows;
}

}  // namespace millwright::testing
