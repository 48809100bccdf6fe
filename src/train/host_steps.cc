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

template <class T>
std::function<Status()> Network<T>::CompileHost(const PlanStep& step) {
  const model::ModelConfig& c = options_.config;
  const int64_t count = c.dim * c.seq;
  const auto at = [&](const char* role) { return Data(step, role); };
  const auto parameter = [&](TensorRole role) -> Parameter<T>& {
    return parameters_->Get(role, role == TensorRole::kFinalNorm ? -1 : step.layer);
  };
  switch (step.kind) {
    case StepKind::kRmsNorm:
      return [&c, x = at("x"), y = at("y"), r = at("inv_rms"),
              w = parameter(step.parameter).value.data()]() -> Status {
        math::RmsNorm(c.dim, c.seq, c.rms_norm_eps, x, w, y, r);
        return {};
      };
    case StepKind::kResidual:
      return [count, alpha = options_.residual_alpha, a = at("a"), b = at("b"),
              y = at("y")]() -> Status {
        math::AddScaled(count, a, alpha, b, y);
        return {};
      };
    case StepKind::kAdd:
      return [count, a = at("a"), b = at("b"), y = at("y")]() -> Status {
        math::AddScaled(count, a, 1.0, b, y);
        return {};
      };
    case StepKind::kScaleByAlpha:
      return [count, alpha = options_.residual_alpha, x = at("x"), y = at("y")]() -> Status {
        math::AddScaled(count, x, alpha - 1.0, x, y);
        return {};
      };
    case StepKind::kActClip:
      return [count, limit = options_.act_clip, x = at("x"), f = at("factor")]() -> Status {
        const double highest = math::MaxAbs(count, x);
        *f = static_cast<T>(highest > limit ? limit / highest : 1.0);
        return Scaled(count, static_cast<double>(*f), x);
      };
    case StepKind::kActClipBackward:
      return [count, dy = at("dy"), f = at("factor")]() -> Status {
        return Scaled(count, static_cast<double>(*f), dy);
      };
    case StepKind::kRmsNormBackward:
      return [&c, dy = at("dy"), x = at("x"), r = at("inv_rms"), dx = at("dx"),
              skip = step.buffers.contains("skip") ? at("skip") : nullptr,
              &p = parameter(step.parameter)]() -> Status {
        math::RmsNormBackward(c.dim, c.seq, dy, x, p.value.data(), r, skip, dx, p.grad.data());
        return {};
      };
    case StepKind::kSwigluBackward:
      return [n = c.hidden_dim * c.seq, dgate = at("dgate"), h1 = at("h1"), h3 = at("h3"),
              dh1 = at("dh1"), dh3 = at("dh3")]() -> Status {
        math::SwigluBackward(n, dgate, h1, h3, dh1, dh3);
        return {};
      };
    case StepKind::kRopeBackward:
      return [this, &c, dq = at("dq"), dk = at("dk")]() -> Status {
        const bool half_split = c.rotary == model::RotaryLayout::kHalfSplit;
        math::Rope(rope_, c.heads, half_split, true, dq);
        math::Rope(rope_, c.kv_heads, half_split, true, dk);
        return {};
      };
    case StepKind::kQkNormBackward:
      return
          [&c, dq = at("dq"), dk = at("dk"), q = at("q_raw"), k = at("k_raw"),
           &wq = parameter(TensorRole::kQNorm), &wk = parameter(TensorRole::kKNorm)]() -> Status {
            math::QkNormBackward(c.heads, c.head_dim, c.seq, c.rms_norm_eps, dq, q, wq.value.data(),
                                 dq, wq.grad.data());
            math::QkNormBackward(c.kv_heads, c.head_dim, c.seq, c.rms_norm_eps, dk, k,
                                 wk.value.data(), dk, wk.grad.data());
            return {};
          };
    case StepKind::kWeightGradient: {
      Parameter<T>& p = parameter(step.parameter);
      return [this, shape = math::DenseGemm(p.rows, p.columns, c.seq, false, true, true),
              dy = at("dy"), x = at("x"), dw = p.grad.data()]() -> Status {
        gemm_->Run(shape, dy, x, dw);
        return {};
      };
    }
    case StepKind::kKernel:
      break;
  }
  return nullptr;
}

template std::function<Status()> Network<float>::CompileHost(const PlanStep&);
template std::function<Status()> Network<double>::CompileHost(const PlanStep&);

}  // namespace millwright::train
