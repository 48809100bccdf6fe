// The host steps of the plan, bound to their buffers.
#include <algorithm>
#include <cmath>
#include <type_traits>

#include "math/qk_norm.h"
#include "math/rmsnorm.h"
#include "math/swiglu.h"
#include "math/vector.h"
#include "train/network.h"

namespace millwright::train {
namespace {

using model::TensorRole;

}  // namespace

// Steps over whole activations.
template <class T>
std::function<Status()> Network<T>::CompileElementwise(const PlanStep& step) {
  const model::ModelConfig& c = options_.config;
  const int64_t count = c.dim * positions();
  const double alpha = options_.residual_alpha;
  const auto at = [&](const char* role) { return Data(step, role); };
  if (step.kind == StepKind::kScaleByAlpha) {
    return [count, alpha, x = at("x"), y = at("y")]() -> Status {
      math::AddScaled(count, x, alpha - 1.0, x, y);
      return {};
    };
  }
  if (step.kind == StepKind::kSwigluBackward) {
    return [n = c.hidden_dim * positions(), dgate = at("dgate"), h1 = at("h1"), h3 = at("h3"),
            dh1 = at("dh1"), dh3 = at("dh3")]() -> Status {
      math::SwigluBackward(n, dgate, h1, h3, dh1, dh3);
      return {};
    };
  }
  const double factor = step.kind == StepKind::kResidual ? alpha : 1.0;
  return [count, factor, a = at("a"), b = at("b"), y = at("y")]() -> Status {
    math::AddScaled(count, a, factor, b, y);
    return {};
  };
}

// act_clip, sequence by sequence: the forward step finds the factors, the backward step applies
// them as constants.
template <class T>
std::function<Status()> Network<T>::CompileActClip(const PlanStep& step) {
  const model::ModelConfig& c = options_.config;
  T* factors = Data(step, "factor");
  const auto scale = [this, &c](int64_t sequence, double factor, T* x) {
    if (factor == 1.0) return;
    for (int64_t row = 0; row < c.dim; ++row) {
      math::Scale(c.seq, factor, x + row * positions() + sequence * c.seq);
    }
  };
  if (step.kind == StepKind::kActClipBackward) {
    return [this, factors, scale, dy = Data(step, "dy")]() -> Status {
      for (int64_t n = 0; n < options_.batch; ++n) scale(n, static_cast<double>(factors[n]), dy);
      return {};
    };
  }
  return [this, &c, factors, scale, x = Data(step, "x")]() -> Status {
    for (int64_t n = 0; n < options_.batch; ++n) {
      double highest = 0;
      for (int64_t row = 0; row < c.dim; ++row) {
        // NaN stays: it is compared with nothing.
        const double of_row = math::MaxAbs(c.seq, x + row * positions() + n * c.seq);
        if (!(of_row <= highest)) highest = of_row;
        if (std::isnan(highest)) break;
      }
      const double limit = options_.act_clip;
      factors[n] = static_cast<T>(highest > limit ? limit / highest : 1.0);
      scale(n, static_cast<double>(factors[n]), x);
    }
    return {};
  };
}

template <class T>
std::function<Status()> Network<T>::CompileNorm(const PlanStep& step) {
  const model::ModelConfig& c = options_.config;
  Parameter<T>& p = ParameterOf(step);
  T* x = Data(step, "x");
  T* inv_rms = Data(step, "inv_rms");
  if (step.kind == StepKind::kRmsNorm) {
    return [this, &c, x, inv_rms, y = Data(step, "y"), w = p.value.data()]() -> Status {
      math::RmsNorm(c.dim, positions(), c.rms_norm_eps, x, w, y, inv_rms);
      return {};
    };
  }
  if (step.kind == StepKind::kNormWeightGradient) {
    return [this, &c, x, inv_rms, dy = Data(step, "dy"), &p]() -> Status {
      math::RmsNormWeightGradient(c.dim, positions(), dy, x, inv_rms, GradientToAddTo(p));
      return {};
    };
  }
  const T* skip = step.buffers.contains("skip") ? Data(step, "skip") : nullptr;
  return
      [this, &c, x, inv_rms, skip, dy = Data(step, "dy"), dx = Data(step, "dx"), &p]() -> Status {
        math::RmsNormBackward(c.dim, positions(), dy, x, p.value.data(), inv_rms, skip, dx,
                              GradientToAddTo(p));
        return {};
      };
}

// From the gradients of the rotated queries and keys to those of the projections.
template <class T>
std::function<Status()> Network<T>::CompileQueryKey(const PlanStep& step) {
  const model::ModelConfig& c = options_.config;
  T* dq = Data(step, "dq");
  T* dk = Data(step, "dk");
  if (step.kind == StepKind::kRopeBackward) {
    return [this, &c, dq, dk]() -> Status {
      const bool half_split = c.rotary == model::RotaryLayout::kHalfSplit;
      math::Rope(rope_, c.heads, half_split, true, dq);
      math::Rope(rope_, c.kv_heads, half_split, true, dk);
      return {};
    };
  }
  Parameter<T>& wq = parameters_->Get(TensorRole::kQNorm, step.layer);
  Parameter<T>& wk = parameters_->Get(TensorRole::kKNorm, step.layer);
  return
      [this, &c, dq, dk, &wq, &wk, q = Data(step, "q_raw"), k = Data(step, "k_raw")]() -> Status {
        math::QkNormBackward(c.heads, c.head_dim, positions(), c.rms_norm_eps, dq, q,
                             wq.value.data(), dq, GradientToAddTo(wq));
        math::QkNormBackward(c.kv_heads, c.head_dim, positions(), c.rms_norm_eps, dk, k,
                             wk.value.data(), dk, GradientToAddTo(wk));
        return {};
      };
}

// The gradients of matrices, in the device's arithmetic for them.
template <class T>
void Network<T>::MultiplyGradients(const std::vector<Gradient>& gradients) {
  if constexpr (std::is_same_v<T, float>) {
    if (gradient_operands_ != DType::kBf16) {
      std::vector<math::GemmCall> calls;
      for (const auto& [p, dy, x] : gradients) {
        calls.push_back({GradientGemm(*p), dy, x, p->grad.data()});
      }
      return gemm_->RunAll(calls);
    }
    for (const auto& [p, dy, x] : gradients) {
      gemm_->RunRounded(GradientGemm(*p), dy, x, p->grad.data());
    }
  } else {
    for (const auto& [p, dy, x] : gradients) gemm_->Run(GradientGemm(*p), dy, x, p->grad.data());
  }
}

template <class T>
std::function<Status()> Network<T>::CompileWeightGradients(std::span<const PlanStep> steps) {
  std::vector<Gradient> gradients;
  for (const PlanStep& step : steps) {
    gradients.push_back({&ParameterOf(step), Data(step, "dy"), Data(step, "x")});
  }
  return [this, gradients = std::move(gradients)]() -> Status {
    MultiplyGradients(gradients);
    return {};
  };
}

// With y = W x + s B (A x): dB = dy (s A x)^T and dA = (s B^T dy) x^T.
template <class T>
std::function<Status()> Network<T>::CompileAdapterGradient(const PlanStep& step) {
  Parameter<T>& a = parameters_->Get(step.parameter, step.layer, model::LoraPart::kA);
  Parameter<T>& b = parameters_->Get(step.parameter, step.layer, model::LoraPart::kB);
  const int64_t rank = a.rows, in = a.columns, out = b.rows, seq = positions();
  return [this, rank, in, out, seq, scale = options_.lora.scale(), &a, &b, dy = Data(step, "dy"),
          x = Data(step, "x"), low = Data(step, "low_rank")]() -> Status {
    using math::DenseGemm;
    gemm_->Run(DenseGemm(rank, seq, in, false, false), a.value.data(), x, low);
    math::Scale(rank * seq, scale, low);
    gemm_->Run(GradientGemm(b), dy, low, b.grad.data());
    gemm_->Run(DenseGemm(rank, seq, out, true, false), b.value.data(), dy, low);
    math::Scale(rank * seq, scale, low);
    gemm_->Run(GradientGemm(a), low, x, a.grad.data());
    return {};
  };
}

template <class T>
std::function<Status()> Network<T>::CompileHost(std::span<const PlanStep> steps) {
  const PlanStep& step = steps.front();
  switch (step.kind) {
    case StepKind::kRmsNorm:
    case StepKind::kRmsNormBackward:
    case StepKind::kNormWeightGradient:
      return CompileNorm(step);
    case StepKind::kActClip:
    case StepKind::kActClipBackward:
      return CompileActClip(step);
    case StepKind::kRopeBackward:
    case StepKind::kQkNormBackward:
      return CompileQueryKey(step);
    case StepKind::kWeightGradient:
      return CompileWeightGradients(steps);
    case StepKind::kAdapterGradient:
      return CompileAdapterGradient(step);
    case StepKind::kKernel:
      return nullptr;
    case StepKind::kResidual:
    case StepKind::kAdd:
    case StepKind::kScaleByAlpha:
    case StepKind::kSwigluBackward:
      break;
  }
  return CompileElementwise(step);
}

template std::function<Status()> Network<float>::CompileHost(std::span<const PlanStep>);
template std::function<Status()> Network<double>::CompileHost(std::span<const PlanStep>);

}  // namespace millwright::train
