#include "train/kernel_meter.h"

#include <array>

#include "kernels/useful_flops.h"

namespace millwright::train {
namespace {

constexpr size_t kOptimizer = 5;
constexpr std::array<const char*, 6> kHostSteps = {"dW",          "classifier", "norms",
                                                   "elementwise", "embedding",  "optimizer"};

// Of the last micro-step, in that order.
std::array<double, 6> HostMs(const StepTimes& t) {
  return {t[Phase::kWeightGradient], t.classifier_ms, t[Phase::kNorm] + t[Phase::kNormBackward],
          t[Phase::kElementwise],    t.embedding_ms,  0};
}

// Products of the gradients of the layers' matrices, and of the classifier (where the device has
// not got it) with both of its gradients.
std::array<double, 2> HostFlops(Network<float>& network) {
  const auto positions = static_cast<double>(network.positions());
  double trained = 0, classifier = 0;
  const model::TensorRole role = model::ClassifierRole(network.config());
  for (const Parameter<float>& p : network.parameters().all()) {
    const auto count = static_cast<double>(p.count());
    if (p.spec.role == role) {
      const int products = 1 + (network.offload().classifier ? 0 : 1) + (p.trained ? 1 : 0);
      classifier = 2 * count * products * positions;
    }
    const bool matrix = !p.spec.is_norm() && !p.spec.has_vocab_rows();
    if (matrix && p.trained && p.spec.part == model::LoraPart::kNone) trained += count;
  }
  return {2 * trained * positions, classifier};
}

}  // namespace

KernelMeter::KernelMeter(Network<float>& network) : network_(network) {
  const auto& session = network.session();
  for (const kernels::KernelDef* kernel : kernels::AllKernels()) {
    if (!session.Has(kernel->id)) continue;
    const auto program = kernels::Generate(*kernel, session.spec());
    const double flops = program ? kernels::UsefulFlops(*program, kernel->id, session.spec()) : 0.0;
    kernels_.push_back({.id = kernel->id, .name = std::string(kernel->name), .flops = flops});
  }
  const auto flops = HostFlops(network);
  for (size_t i = 0; i < kHostSteps.size(); ++i) {
    host_.push_back({.name = kHostSteps[i], .flops = i < flops.size() ? flops[i] : 0.0});
  }
}

void KernelMeter::BeginStep() {
  for (Kernel& kernel : kernels_) kernel.before = network_.session().times(kernel.id);
}

void KernelMeter::AddStep(double ms) {
  for (Kernel& kernel : kernels_) {
    const runtime::KernelTimes& now = network_.session().times(kernel.id);
    kernel.launches += now.runs - kernel.before.runs;
    kernel.ms += now.device_ms - kernel.before.device_ms;
  }
  ++steps_;
  ms_ += ms;
  const auto host = HostMs(network_.times());
  for (size_t i = 0; i < host.size(); ++i) {
    if (i == kOptimizer) continue;
    host_[i].ms += host[i];
    ++host_[i].launches;
  }
}

void KernelMeter::AddUpdate(double ms) {
  ms_ += ms;
  host_[kOptimizer].ms += ms;
  ++host_[kOptimizer].launches;
}

telemetry::KernelsEvent KernelMeter::Take() {
  telemetry::KernelsEvent event;
  event.steps = steps_;
  event.ms = ms_;
  const auto add = [&](const std::string& name, int64_t launches, double ms, double flops) {
    if (launches == 0) return;
    const double rate = ms > 0 ? flops * static_cast<double>(launches) / ms * 1e-6 : 0;
    event.kernels.push_back({name, launches, ms, rate, ms_ > 0 ? ms / ms_ : 0});
  };
  for (Kernel& kernel : kernels_) {
    add(kernel.name, kernel.launches, kernel.ms, kernel.flops);
    kernel.launches = 0;
    kernel.ms = 0;
  }
  for (HostStep& step : host_) {
    add(step.name, step.launches, step.ms, step.flops);
    step.ms = 0;
    step.launches = 0;
  }
  steps_ = 0;
  ms_ = 0;
  return event;
}

}  // namespace millwright::train
