// Mean cross-entropy over the positions of one sequence, and its gradient.
#pragma once

#include <cstdint>
#include <span>

namespace millwright::math {

// logits: [vocab, seq], overwritten by their gradient times `scale`: (softmax - onehot) * scale /
// seq. targets: one row index per position, each in [0, vocab). `last_row_bias` is added to the
// logits of the last row first (ln(count) of the inactive words in `exact` compaction; 0
// otherwise). Returns the mean of -log softmax[target], in nats, not scaled.
double CrossEntropy(int64_t vocab, int64_t seq, std::span<const int32_t> targets,
                    double last_row_bias, double scale, float* logits);
double CrossEntropy(int64_t vocab, int64_t seq, std::span<const int32_t> targets,
                    double last_row_bias, double scale, double* logits);

// The same loss without the gradient; logits are left as they are.
double CrossEntropyLoss(int64_t vocab, int64_t seq, std::span<const int32_t> targets,
                        double last_row_bias, const float* logits);
double CrossEntropyLoss(int64_t vocab, int64_t seq, std::span<const int32_t> targets,
                        double last_row_bias, const double* logits);

// The same position by position: losses[s] = -log softmax[targets[s]], in nats.
void CrossEntropyLosses(int64_t vocab, int64_t seq, std::span<const int32_t> targets,
                        double last_row_bias, const float* logits, std::span<double> losses);
void CrossEntropyLosses(int64_t vocab, int64_t seq, std::span<const int32_t> targets,
                        double last_row_bias, const double* logits, std::span<double> losses);

// CrossEntropy from probabilities [vocab, seq] that a device has computed, which are overwritten by
// the same gradient. In the loss a probability counts as at least `floor`: rounding makes small
// ones zero.
double CrossEntropyOfProbabilities(int64_t vocab, int64_t seq, std::span<const int32_t> targets,
                                   double floor, double scale, float* probabilities);
double CrossEntropyOfProbabilities(int64_t vocab, int64_t seq, std::span<const int32_t> targets,
                                   double floor, double scale, double* probabilities);

}  // namespace millwright::math
