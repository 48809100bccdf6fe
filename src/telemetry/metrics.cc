#include "telemetry/metrics.h"

namespace millwright::telemetry {
namespace {

struct Collect {
  Metrics& m;

  void operator()(const StepEvent& event) {
    m.steps.insert_or_assign(event.step, event);
    m.last_step = event.step;
    m.end.reset();
  }
  void operator()(const UpdateEvent& event) { m.updates.insert_or_assign(event.step, event); }
  void operator()(const TensorsEvent& event) { m.tensors.insert_or_assign(event.step, event); }
  void operator()(const KernelsEvent& event) { m.kernels.insert_or_assign(event.step, event); }
  void operator()(const SystemEvent& event) { m.system.insert_or_assign(event.step, event); }

  void operator()(const ConfigEvent& event) {
    m.config = event;
    m.end.reset();
    m.log.emplace_back(event);
  }
  void operator()(const ValidationEvent& event) {
    m.validations.insert_or_assign(event.step, event);
    m.log.emplace_back(event);
  }
  void operator()(const SampleEvent& event) {
    m.samples.insert_or_assign(event.step, event);
    m.log.emplace_back(event);
  }
  void operator()(const CheckpointEvent& event) {
    m.checkpoints.insert_or_assign(event.step, event);
    m.log.emplace_back(event);
  }
  void operator()(const WarningEvent& event) { m.log.emplace_back(event); }
  void operator()(const EndEvent& event) {
    m.end = event;
    m.log.emplace_back(event);
  }
};

}  // namespace

void Metrics::Add(const Event& event) {
  ++events;
  std::visit(Collect{*this}, event);
}

}  // namespace millwright::telemetry
