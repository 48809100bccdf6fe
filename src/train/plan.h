// A training step as a list: which kernel or host step runs on which layer, what it reads and
// writes. The list can be printed; the network executes it as it stands.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "kernels/kernel.h"
#include "model/tensors.h"

namespace millwright::train {

enum class StepKind {
  kKernel,
  kRmsNorm,   // x -> y, inv_rms
  kResidual,  // y = a + residual_alpha * b
  kActClip,   // x *= min(1, act_clip / max|x|), sequence by sequence, remembering the factors
  kActClipBackward,     // dy *= those factors
  kScaleByAlpha,        // y = residual_alpha * x
  kRmsNormBackward,     // dy, x, inv_rms, skip -> dx, and the norm's gradient
  kSwigluBackward,      // dgate, h1, h3 -> dh1, dh3
  kNormWeightGradient,  // the norm's gradient alone, from dy, x, inv_rms
  kRopeBackward,        // rotates dq and dk back, in place
  kQkNormBackward,      // dq, dk in place, with q_raw and k_raw, and the norms' gradients
  kAdd,                 // y = a + b
  kWeightGradient,      // dW = dy x^T, or += : see ParameterSet::has_gradients
  kAdapterGradient,     // of a LoRA adapter: dB = dy (s A x)^T, dA = (s B^T dy) x^T, or +=
};

// What the time of a step is booked under.
enum class Phase {
  kForward,
  kNorm,
  kBackward,
  kElementwise,
  kNormBackward,
  kWeightGradient,
  kRecompute,  // whatever a layer's forward step does, done again
};
inline constexpr int kPhases = 7;

struct PlanStep {
  StepKind kind = StepKind::kKernel;
  Phase phase = Phase::kForward;
  int64_t layer = 0;                                            // config.layers for the final norm
  kernels::KernelId kernel = kernels::KernelId::kSdpaFwd;       // kKernel
  model::TensorRole parameter = model::TensorRole::kEmbedding;  // norms, kWeightGradient
  std::map<std::string, std::string> buffers;  // operand or role in the step -> buffer name
};

// A host buffer: an activation [rows, batch * seq] (or one row of `columns`).
struct PlanBuffer {
  int64_t rows = 0, columns = 0;
};

struct PlanOptions {
  bool act_clip = false;
  bool residual_alpha = false;
  bool backward = true;  // false: forward alone, in buffers that all layers share
  // Keeps of each layer only its input: the backward step first does the layer's forward step
  // again, in buffers that all layers share. The last layer's are still there from the forward
  // step. Source: Chen et al., "Training Deep Nets with Sublinear Memory Cost", 2016.
  bool recompute = false;
  // Whether a tensor is trained; empty: every one is. Gradients of frozen weights are not computed,
  // nor is anything below the lowest layer that holds a trained tensor.
  std::function<bool(model::TensorRole role, int64_t layer)> trained;
};

struct Plan {
  std::map<std::string, PlanBuffer> buffers;
  std::vector<PlanStep> forward;   // from buffer "x.0" to "x_final"
  std::vector<PlanStep> backward;  // from buffer "dx_final" to "dy", the gradient of "x.0"
};

// The plan for a network whose kernels are those of `spec`.
Plan MakePlan(const kernels::KernelSpec& spec, const PlanOptions& options);

// One line a step: "bwd L03 kernel ffnBwdW2t dffn=dy dgate=dgate"; "rec" for what is done again.
std::string ToString(const Plan& plan);

}  // namespace millwright::train
