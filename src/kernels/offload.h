// What the device does of a step besides the layers' ten kernels.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace millwright::kernels {

struct KernelSpec;

// Steps that have kernels of their own and are the host's where they are not asked for. Gradients
// of weights stay with the host.
struct Offload {
  bool rmsnorm = false;           // the final RMSNorm
  bool classifier = false;        // logits from the final hidden states
  bool softmax = false;           // over the vocabulary
  bool rmsnorm_backward = false;  // of every RMSNorm but those of queries and keys

  int64_t classes = 0;         // rows of the classifier
  double last_class_bias = 0;  // softmax adds it to the last logit: data::VocabMap::LastRowBias

  bool any() const { return rmsnorm || classifier || softmax || rmsnorm_backward; }
};

// From names with commas between them: rmsnorm, classifier, softmax, rmsnorm-bwd, or all. Empty
// text is nothing. Bad input says what there is.
Result<Offload> ParseOffload(std::string_view names);

// The names, always in the same order; empty for nothing.
std::string OffloadNames(const Offload& offload);

// Rows of the classifier in one launch of classifierFwd. A vocabulary that an axis or a packed
// surface cannot hold (facts B2, B3, B5) is cut into equal launches; the last one ends with the
// last row, whichever rows it does again.
int64_t ClassifierRows(const KernelSpec& spec);

}  // namespace millwright::kernels
