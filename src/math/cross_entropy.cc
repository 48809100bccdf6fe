#include "math/cross_entropy.h"

#include "math/scalar/cross_entropy.h"

namespace millwright::math {

double CrossEntropy(int64_t vocab, int64_t seq, std::span<const int32_t> targets,
                    double last_row_bias, double scale, float* logits) {
  return scalar::CrossEntropy(vocab, seq, targets, last_row_bias, scale, logits);
}

double CrossEntropy(int64_t vocab, int64_t seq, std::span<const int32_t> targets,
                    double last_row_bias, double scale, double* logits) {
  return scalar::CrossEntropy(vocab, seq, targets, last_row_bias, scale, logits);
}

double CrossEntropyLoss(int64_t vocab, int64_t seq, std::span<const int32_t> targets,
                        double last_row_bias, const float* logits) {
  return scalar::CrossEntropyLoss(vocab, seq, targets, last_row_bias, logits);
}

double CrossEntropyLoss(int64_t vocab, int64_t seq, std::span<const int32_t> targets,
                        double last_row_bias, const double* logits) {
  return scalar::CrossEntropyLoss(vocab, seq, targets, last_row_bias, logits);
}

}  // namespace millwright::math
