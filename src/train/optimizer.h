// One update: gradient norm, clipping, AdamW.
#pragma once

#include "data/vocabulary.h"
#include "train/parameters.h"

namespace millwright::train {

struct UpdateOptions {
  double lr = 0;
  double clip = 1.0;  // 0: off
  double weight_decay = 0.1;
  double beta1 = 0.9, beta2 = 0.95;
  double gradient_scale = 1.0;  // 1 / (micro-steps accumulated * loss scale)
  int64_t adam_step = 1;        // 1 at the first update
};

// Norms of the scaled gradient of all trained tensors, before clipping.
struct GradientNorms {
  double total = 0, attn = 0, ffn = 0, embed = 0;
  bool finite = true;
};

// Measures the gradients. The shared row of `exact` compaction stands for all inactive words: its
// accumulated gradient is divided by their number here (once an update), and counts that many times
// in the norm, so that the update is the one of the full vocabulary.
template <class T>
GradientNorms MeasureGradients(ParameterSet<T>& parameters, const data::VocabMap& vocab,
                               double gradient_scale);

// Clips by the global norm and updates every trained tensor; the gradients are used up. Together
// with MeasureGradients an update moves 32 bytes a parameter: the gradient's 4 for the norm and
// AdamW's 28.
template <class T>
void Update(ParameterSet<T>& parameters, const GradientNorms& norms, const UpdateOptions& options);

}  // namespace millwright::train
