#include "train/plan.h"

#include <fmt/format.h>

namespace millwright::train {
namespace {

using kernels::KernelId;
using model::TensorRole;
using Buffers = std::map<std::string, std::string>;

// Writes the plan layer by layer. Buffers with a layer suffix are kept for the backward step (there
// is one copy of them where no backward step reads them, or where it computes them again), the
// others are scratch that every layer uses again.
class PlanWriter {
 public:
  PlanWriter(const kernels::KernelSpec& spec, const PlanOptions& options)
      : spec_(spec), c_(spec.config), options_(options) {}

  Plan Write() && {
    steps_ = &plan_.forward;
    Activation("x.0", c_.dim);
    for (int64_t layer = 0; layer < c_.layers; ++layer) ForwardLayer(layer);
    layer_ = c_.layers;
    Norm(TensorRole::kFinalNorm, At("x", c_.layers), "x_final", "inv_rms_final");
    if (!options_.backward) return std::move(plan_);
    steps_ = &plan_.backward;
    Activation("dx_final", c_.dim);
    NormBackward(TensorRole::kFinalNorm, "dx_final", At("x", c_.layers), "inv_rms_final", "", "dy");
    const int64_t lowest = LowestTrainedLayer();
    for (int64_t layer = c_.layers; layer-- > lowest;) {
      if (options_.recompute && layer + 1 < c_.layers) RecomputeLayer(layer);
      BackwardLayer(layer);
    }
    return std::move(plan_);
  }

 private:
  std::string At(std::string_view name, int64_t layer) const {
    const bool kept = options_.backward && (!options_.recompute || name == "x");
    return fmt::format("{}.{}", name, kept ? layer : 0);
  }
  std::string Here(std::string_view name) const { return At(name, layer_); }

  bool Trained(TensorRole role, int64_t layer) const {
    return !options_.trained || options_.trained(role, layer);
  }

  // At most the last layer, so that a backward step always has one.
  int64_t LowestTrainedLayer() const {
    if (Trained(TensorRole::kEmbedding, -1) || spec_.lora.enabled()) return 0;
    for (const model::TensorSpec& spec : model::TensorTable(c_)) {
      if (spec.layer >= 0 && Trained(spec.role, spec.layer)) return spec.layer;
    }
    return c_.layers - 1;
  }

  std::string Activation(const std::string& name, int64_t rows) {
    plan_.buffers[name] = {rows, spec_.columns()};
    return name;
  }

  PlanStep& Add(StepKind kind, Phase phase, Buffers buffers) {
    steps_->push_back({.kind = kind,
                       .phase = recomputing_ ? Phase::kRecompute : phase,
                       .layer = layer_,
                       .buffers = std::move(buffers)});
    return steps_->back();
  }

  // Adds a kernel; operands without a name in `buffers` are kept per layer under their own name.
  PlanStep& Kernel(KernelId id, Phase phase, Buffers buffers) {
    const kernels::Operands operands = kernels::Get(id).operands(spec_);
    for (const auto* list : {&operands.inputs, &operands.outputs}) {
      for (const kernels::Operand& operand : *list) {
        if (operand.weight) continue;
        const std::string& name =
            buffers.try_emplace(operand.name, Here(operand.name)).first->second;
        plan_.buffers[name] = {operand.rows, operand.columns};
      }
    }
    PlanStep& step = Add(StepKind::kKernel, phase, std::move(buffers));
    step.kernel = id;
    return step;
  }

  void Norm(TensorRole norm, const std::string& x, const std::string& y,
            const std::string& inv_rms) {
    if (norm == TensorRole::kFinalNorm && spec_.offload.rmsnorm) {
      Kernel(KernelId::kFinalRmsnorm, Phase::kNorm,
             {{"x_last", x}, {"x_final", y}, {"inv_rms", inv_rms}})
          .parameter = norm;
      return;
    }
    Activation(y, c_.dim);
    plan_.buffers[inv_rms] = {1, spec_.columns()};
    Add(StepKind::kRmsNorm, Phase::kNorm, {{"x", x}, {"y", y}, {"inv_rms", inv_rms}}).parameter =
        norm;
  }

  void NormBackward(TensorRole norm, const std::string& dy, const std::string& x,
                    const std::string& inv_rms, const std::string& skip, const std::string& dx) {
    Activation(dx, c_.dim);
    if (spec_.offload.rmsnorm_backward) return NormBackwardKernel(norm, dy, x, inv_rms, skip, dx);
    Buffers buffers = {{"dy", dy}, {"x", x}, {"inv_rms", inv_rms}, {"dx", dx}};
    if (!skip.empty()) buffers["skip"] = skip;
    Add(StepKind::kRmsNormBackward, Phase::kNormBackward, std::move(buffers)).parameter = norm;
  }

  void NormBackwardKernel(TensorRole norm, const std::string& dy, const std::string& x,
                          const std::string& inv_rms, const std::string& skip,
                          const std::string& dx) {
    const std::string& branch = skip.empty() ? dx : "dx_norm";
    Kernel(KernelId::kRmsnormBwd, Phase::kNormBackward,
           {{"dnormed", dy}, {"x_in", x}, {"inv_rms", inv_rms}, {"dx_norm", branch}})
        .parameter = norm;
    if (Trained(norm, norm == TensorRole::kFinalNorm ? -1 : layer_)) {
      Add(StepKind::kNormWeightGradient, Phase::kNormBackward,
          {{"dy", dy}, {"x", x}, {"inv_rms", inv_rms}})
          .parameter = norm;
    }
    if (skip.empty()) return;
    Add(StepKind::kAdd, Phase::kNormBackward, {{"a", branch}, {"b", skip}, {"y", dx}});
  }

  void WeightGradient(TensorRole weight, const std::string& dy, const std::string& x) {
    if (Trained(weight, layer_)) {
      Add(StepKind::kWeightGradient, Phase::kWeightGradient, {{"dy", dy}, {"x", x}}).parameter =
          weight;
    }
    if (spec_.lora.Adapts(weight)) {
      plan_.buffers["low_rank"] = {spec_.lora.rank, spec_.columns()};
      Add(StepKind::kAdapterGradient, Phase::kWeightGradient,
          {{"dy", dy}, {"x", x}, {"low_rank", "low_rank"}})
          .parameter = weight;
    }
  }

  // The gradient of a branch that the residual scales: a scaled copy, or the gradient itself.
  std::string ThroughAlpha(const std::string& dy, const std::string& scaled) {
    if (!options_.residual_alpha) return dy;
    Activation(scaled, c_.dim);
    Add(StepKind::kScaleByAlpha, Phase::kElementwise, {{"x", dy}, {"y", scaled}});
    return scaled;
  }

  void ForwardLayer(int64_t layer) {
    layer_ = layer;
    const std::string x = Here("x");
    const std::string next = At("x", layer + 1);
    Norm(TensorRole::kAttnNorm, x, Here("xnorm"), Here("inv_rms_attn"));
    Kernel(KernelId::kSdpaFwd, Phase::kForward, {});
    Kernel(KernelId::kWoFwd, Phase::kForward, {{"o", "o"}});
    Activation(Here("x2"), c_.dim);
    Add(StepKind::kResidual, Phase::kElementwise, {{"a", x}, {"b", "o"}, {"y", Here("x2")}});
    Norm(TensorRole::kFfnNorm, Here("x2"), Here("x2norm"), Here("inv_rms_ffn"));
    Kernel(KernelId::kFfnFused, Phase::kForward, {{"x_next", next}});
    if (options_.act_clip) {
      plan_.buffers[Here("clip_factor")] = {1, spec_.batch};
      Add(StepKind::kActClip, Phase::kElementwise, {{"x", next}, {"factor", Here("clip_factor")}});
    }
  }

  // Writes the next layer's input once more, to the same bits.
  void RecomputeLayer(int64_t layer) {
    recomputing_ = true;
    ForwardLayer(layer);
    recomputing_ = false;
  }

  void BackwardLayer(int64_t layer) {
    layer_ = layer;
    if (options_.act_clip) {
      Add(StepKind::kActClipBackward, Phase::kElementwise,
          {{"dy", "dy"}, {"factor", Here("clip_factor")}});
    }
    FfnBackward();
    AttentionBackward();
  }

  // From "dy" to "dx2", the gradient at the middle of the layer.
  void FfnBackward() {
    const std::string dffn = ThroughAlpha("dy", "dffn");
    Kernel(KernelId::kFfnBwdW2t, Phase::kBackward, {{"dffn", dffn}, {"dgate", "dgate"}});
    Activation("dh1", c_.hidden_dim);
    Activation("dh3", c_.hidden_dim);
    Add(StepKind::kSwigluBackward, Phase::kElementwise,
        {{"dgate", "dgate"},
         {"h1", Here("h1")},
         {"h3", Here("h3")},
         {"dh1", "dh1"},
         {"dh3", "dh3"}});
    WeightGradient(TensorRole::kW2, dffn, Here("gate"));
    Kernel(KernelId::kFfnBwdW13t, Phase::kBackward,
           {{"dh1", "dh1"}, {"dh3", "dh3"}, {"dx2norm", "dx2norm"}});
    WeightGradient(TensorRole::kW1, "dh1", Here("x2norm"));
    WeightGradient(TensorRole::kW3, "dh3", Here("x2norm"));
    NormBackward(TensorRole::kFfnNorm, "dx2norm", Here("x2"), Here("inv_rms_ffn"), "dy", "dx2");
  }

  // From "dx2" back to "dy", the gradient at the layer's input.
  void AttentionBackward() {
    const std::string d_o = ThroughAlpha("dx2", "do");
    Kernel(KernelId::kWotBwd, Phase::kBackward, {{"do", d_o}, {"dattn", "dattn"}});
    WeightGradient(TensorRole::kWo, d_o, Here("attn"));
    Buffers gradients = {{"dattn", "dattn"}, {"dv", "dv"}};
    if (spec_.target.fused_attention_backward) {
      gradients.insert({{"dq", "dq"}, {"dk", "dk"}});
      Kernel(KernelId::kSdpaBwd1, Phase::kBackward, gradients);
    } else {
      gradients.insert({{"probs", "probs"}, {"dp", "dp"}});
      Kernel(KernelId::kSdpaBwd1, Phase::kBackward, gradients);
      Kernel(KernelId::kSdpaBwd2, Phase::kBackward,
             {{"probs", "probs"}, {"dp", "dp"}, {"dq", "dq"}, {"dk", "dk"}});
    }
    Add(StepKind::kRopeBackward, Phase::kElementwise, {{"dq", "dq"}, {"dk", "dk"}});
    if (c_.qk_norm) {
      Add(StepKind::kQkNormBackward, Phase::kNormBackward,
          {{"dq", "dq"}, {"dk", "dk"}, {"q_raw", Here("q_raw")}, {"k_raw", Here("k_raw")}});
    }
    WeightGradient(TensorRole::kWq, "dq", Here("xnorm"));
    WeightGradient(TensorRole::kWk, "dk", Here("xnorm"));
    WeightGradient(TensorRole::kWv, "dv", Here("xnorm"));
    Kernel(KernelId::kQBwd, Phase::kBackward, {{"dq", "dq"}, {"dx_q", "dx_q"}});
    Kernel(KernelId::kKvBwd, Phase::kBackward, {{"dk", "dk"}, {"dv", "dv"}, {"dx_kv", "dx_kv"}});
    Add(StepKind::kAdd, Phase::kElementwise, {{"a", "dx_q"}, {"b", "dx_kv"}, {"y", "dx_q"}});
    NormBackward(TensorRole::kAttnNorm, "dx_q", Here("x"), Here("inv_rms_attn"), "dx2", "dy");
  }

  const kernels::KernelSpec& spec_;
  const model::ModelConfig& c_;
  const PlanOptions& options_;
  Plan plan_;
  std::vector<PlanStep>* steps_ = nullptr;
  int64_t layer_ = 0;
  bool recomputing_ = false;
};

std::string_view KindName(StepKind kind) {
  switch (kind) {
    case StepKind::kKernel:
      return "kernel";
    case StepKind::kRmsNorm:
      return "rmsnorm";
    case StepKind::kResidual:
      return "residual";
    case StepKind::kActClip:
      return "act_clip";
    case StepKind::kActClipBackward:
      return "act_clip_backward";
    case StepKind::kScaleByAlpha:
      return "scale_by_alpha";
    case StepKind::kRmsNormBackward:
      return "rmsnorm_backward";
    case StepKind::kSwigluBackward:
      return "swiglu_backward";
    case StepKind::kNormWeightGradient:
      return "norm_weight_gradient";
    case StepKind::kRopeBackward:
      return "rope_backward";
    case StepKind::kQkNormBackward:
      return "qk_norm_backward";
    case StepKind::kAdd:
      return "add";
    case StepKind::kAdapterGradient:
      return "adapter_gradient";
    case StepKind::kWeightGradient:
      break;
  }
  return "weight_gradient";
}

void AppendSteps(std::string_view direction, const std::vector<PlanStep>& steps,
                 std::string* text) {
  for (const PlanStep& step : steps) {
    *text += fmt::format("{} L{:02} {}", step.phase == Phase::kRecompute ? "rec" : direction,
                         step.layer, KindName(step.kind));
    if (step.kind == StepKind::kKernel) {
      *text += fmt::format(" {}", kernels::Get(step.kernel).name);
    }
    for (const auto& [role, buffer] : step.buffers) {
      *text += fmt::format(" {}={}", role, buffer);
    }
    text->push_back('\n');
  }
}

}  // namespace

Plan MakePlan(const kernels::KernelSpec& spec, const PlanOptions& options) {
  return PlanWriter(spec, options).Write();
}

std::string ToString(const Plan& plan) {
  std::string text;
  AppendSteps("fwd", plan.forward, &text);
  AppendSteps("bwd", plan.backward, &text);
  return text;
}

}  // namespace millwright::train
