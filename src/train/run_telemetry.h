// What a run tells of itself besides its steps and updates, and what telling costs.
#pragma once

#include <cstdint>

#include "base/clock.h"
#include "telemetry/event.h"
#include "telemetry/system_probe.h"
#include "train/kernel_meter.h"
#include "train/tensor_health.h"

namespace millwright::train {

// A sink before a sink, that adds up the time in it.
class TimedSink : public telemetry::Sink {
 public:
  // `ms` is added to.
  TimedSink(telemetry::Sink& sink, double& ms) : sink_(sink), ms_(ms) {}
  Status Write(const telemetry::Event& event) override {
    const Stopwatch watch;
    auto status = sink_.Write(event);
    ms_ += watch.ms();
    return status;
  }

 private:
  telemetry::Sink& sink_;
  double& ms_;
};

// Decides when what is due. Nothing that it does changes a number of the training.
class RunTelemetry {
 public:
  // `tensors_every` updates there is a tensors event; 0: none but for gradients that are not
  // finite. The network must outlive the object.
  RunTelemetry(Network<float>& network, int64_t tensors_every)
      : network_(network),
        tensors_every_(tensors_every),
        kernels_(network),
        probe_(telemetry::OpenPowerMeter()) {}

  void BeforeStep() { kernels_.BeginStep(); }
  // After micro-step `step`, which took `ms`.
  Status AfterStep(int64_t step, double ms, telemetry::Sink& sink);
  // Between the measuring of the gradients and the update that uses them up.
  void BeforeUpdate(const telemetry::UpdateEvent& update, double gradient_scale);
  // After it; writes what was measured before.
  Status AfterUpdate(const telemetry::UpdateEvent& update, telemetry::Sink& sink);
  // What is left to be told after the last micro-step.
  Status Finish(int64_t step, telemetry::Sink& sink);

  // Milliseconds that measuring took, without the writing.
  double ms() const { return ms_; }

 private:
  Network<float>& network_;
  int64_t tensors_every_;
  KernelMeter kernels_;
  telemetry::SystemProbe probe_;
  Stopwatch since_system_, since_kernels_;
  std::optional<telemetry::TensorsEvent> tensors_;
  bool skipped_before_ = false;
  double ms_ = 0;
};

}  // namespace millwright::train
