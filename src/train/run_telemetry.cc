#include "train/run_telemetry.h"

#include <utility>

namespace millwright::train {
namespace {

constexpr double kSystemEveryMs = 1000, kKernelsEveryMs = 5000;

}  // namespace

Status RunTelemetry::AfterStep(int64_t step, double ms, telemetry::Sink& sink) {
  const Stopwatch watch;
  kernels_.AddStep(ms);
  std::optional<telemetry::SystemEvent> system;
  std::optional<telemetry::KernelsEvent> kernels;
  if (since_system_.ms() >= kSystemEveryMs) {
    since_system_.Restart();
    system = probe_.Measure();
    system->step = step;
  }
  if (since_kernels_.ms() >= kKernelsEveryMs) {
    since_kernels_.Restart();
    kernels = kernels_.Take();
    kernels->step = step;
  }
  ms_ += watch.ms();
  Status status;
  if (system) status = sink.Write(*system);
  if (status && kernels) status = sink.Write(*kernels);
  return status;
}

// Of updates that are skipped one after another only the first is looked into.
void RunTelemetry::BeforeUpdate(const telemetry::UpdateEvent& update, double gradient_scale) {
  const Stopwatch watch;
  const bool due = tensors_every_ > 0 && update.update % tensors_every_ == 0;
  if (due || (update.skipped && !skipped_before_)) {
    tensors_ = MeasureTensors(network_.parameters(), network_.vocab(), gradient_scale);
    tensors_->step = update.step;
  }
  skipped_before_ = update.skipped;
  ms_ += watch.ms();
}

Status RunTelemetry::AfterUpdate(const telemetry::UpdateEvent& update, telemetry::Sink& sink) {
  kernels_.AddUpdate(update.ms);
  if (!tensors_) return {};
  return sink.Write(*std::exchange(tensors_, std::nullopt));
}

Status RunTelemetry::Finish(int64_t step, telemetry::Sink& sink) {
  const Stopwatch watch;
  auto system = probe_.Measure();
  system.step = step;
  const bool stepped = kernels_.steps() > 0;
  auto kernels = kernels_.Take();
  kernels.step = step;
  ms_ += watch.ms();
  auto status = sink.Write(system);
  if (status && stepped) status = sink.Write(kernels);
  return status;
}

}  // namespace millwright::train
