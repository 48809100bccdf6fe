// The host steps of the plan, bound to their buffers.
#include <algorithm>

#include "math/qk_norm.h"
#include "math/rmsnorm.h"
#include "math/swiglu.h"
#include "math/vector.h"
#include "train/network.h"

namespace millwright::train {
namespace {

using model::TensorRole;

template <class T>
Status Scaled(int64_t count, double factor, T* x) {
  if (factor != 1.0) math::Scale(count, factor, x);
  return {};
}

}  // namespace

// Steps over whole activations.
template <class T>
std::function<Status()> Network<T>::CompileElementwise(const PlanStep& step) {
  const model::ModelConfig& c = options_.config;
  const int64_t count = c.dim * c.seq;
  const double alpha = options_.residual_alpha;
  const auto at = [&](const char* role) { return Data(step, role); };
  if (step.kind == StepKind::kScaleByAlpha) {
    return [count, alpha, x = at("x"), y = at("y")]() -> Status {
      math::AddScaled(count, x, alpha - 1.0, x, y);
      return {};
    };
  }
  if (step.kind == StepKind::kSwigluBackward) {
    return [n = c.hidden_dim * c.seq, dgate = at("dgate"), h1 = at("h1"), h3 = at("h3"),
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

// act_clip: the forward step finds the factor, the backward step applies it as a constant.
template <class T>
std::function<Status()> Network<T>::CompileActClip(const PlanStep& step) {
  const int64_t count = options_.config.dim * options_.config.seq;
  T* factor = Data(step, "factor");
  if (step.kind == StepKind::kActClipBackward) {
    return [count, factor, dy = Data(step, "dy")]() -> Status {
      return Scaled(count, static_cast<double>(*factor), dy);
    };
  }
  return [count, factor, limit = options_.act_clip, x = Data(step, "x")]() -> Status {
    const double highest = math::MaxAbs(count, x);
    *factor = static_cast<T>(highest > limit ? limit / highest : 1.0);
    return Scaled(count, static_cast<double>(*factor), x);
  };
}

template <class T>
std::function<Status()> Network<T>::CompileNorm(const PlanStep& step) {
  const model::ModelConfig& c = options_.config;
  Parameter<T>& p = ParameterOf(step);
  T* x = Data(step, "x");
  T* inv_rms = Data(step, "inv_rms");
  if (step.kind == StepKind::kRmsNorm) {
    return [&c, x, inv_rms, y = Data(step, "y"), w = p.value.data()]() -> Status {
      math::RmsNorm(c.dim, c.seq, c.rms_norm_eps, x, w, y, inv_rms);
      return {};
    };
  }
  const T* skip = step.buffers.contains("skip") ? Data(step, "skip") : nullptr;
  return [&c, x, inv_rms, skip, dy = Data(step, "dy"), dx = Data(step, "dx"), &p]() -> Status {
    math::RmsNormBackward(c.dim, c.seq, dy, x, p.value.data(), inv_rms, skip, dx, p.grad.data());
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
  return [&c, dq, dk, &wq, &wk, q = Data(step, "q_raw"), k = Data(step, "k_raw")]() -> Status {
    math::QkNormBackward(c.heads, c.head_dim, c.seq, c.rms_norm_eps, dq, q, wq.value.data(), dq,
                         wq.grad.data());
    math::QkNormBackward(c.kv_heads, c.head_dim, c.seq, c.rms_norm_eps, dk, k, wk.value.data(), dk,
                         wk.grad.data());
    return {};
  };
}

template <class T>
std::function<Status()> Network<T>::CompileWeightGradient(const PlanStep& step) {
  Parameter<T>& p = ParameterOf(step);
  return [this, shape = math::DenseGemm(p.rows, p.columns, options_.config.seq, false, true, true),
          dy = Data(step, "dy"), x = Data(step, "x"), dw = p.grad.data()]() -> Status {
    gemm_->Run(shape, dy, x, dw);
    return {};
  };
}

// With y = W x + s B (A x): dB = dy (s A x)^T and dA = (s B^T dy) x^T.
template <class T>
std::function<Status()> Network<T>::CompileAdapterGradient(const PlanStep& step) {
  Parameter<T>& a = parameters_->Get(step.parameter, step.layer, model::LoraPart::kA);
  Parameter<T>& b = parameters_->Get(step.parameter, step.layer, model::LoraPart::kB);
  const int64_t rank = a.rows, in = a.columns, out = b.rows, seq = options_.config.seq;
  return [this, rank, in, out, seq, scale = options_.lora.scale(), &a, &b, dy = Data(step, "dy"),
          x = Data(step, "x"), low = Data(step, "low_rank")]() -> Status {
    using math::DenseGemm;
    gemm_->Run(DenseGemm(rank, seq, in, false, false), a.value.data(), x, low);
    math::Scale(rank * seq, scale, low);
    gemm_->Run(DenseGemm(out, rank, seq, false, true, true), dy, low, b.grad.data());
    gemm_->Run(DenseGemm(rank, seq, out, true, false), b.value.data(), dy, low);
    math::Scale(rank * seq, scale, low);
    gemm_->Run(DenseGemm(rank, in, seq, false, true, true), low, x, a.grad.data());
    return {};
  };
}

template <class T>
Parameter<T>& Network<T>::ParameterOf(const PlanStep& step) {
  const bool final_norm = step.parameter == TensorRole::kFinalNorm;
  return parameters_->Get(step.parameter, final_norm ? -1 : step.layer);
}

template <class T>
std::function<Status()> Network<T>::CompileHost(const PlanStep& step) {
  switch (step.kind) {
    case StepKind::kRmsNorm:
    case StepKind::kRmsNormBackward:
      return CompileNorm(step);
    case StepKind::kActClip:
    case StepKind::kActClipBackward:
      return CompileActClip(step);
    case StepKind::kRopeBackward:
    case StepKind::kQkNormBackward:
      return CompileQueryKey(step);
    case StepKind::kWeightGradient:
      return CompileWeightGradient(step);
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

template std::function<Status()> Network<float>::CompileHost(const PlanStep&);
template std::function<Status()> Network<double>::CompileHost(const PlanStep&);

}  // namespace millwright::train
