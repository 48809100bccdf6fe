// Where the time of micro-steps goes, kernel by kernel.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "telemetry/event.h"
#include "train/network.h"

namespace millwright::train {

// Reads the counters that the session and the network keep anyway.
class KernelMeter {
 public:
  // The network must outlive the meter.
  explicit KernelMeter(Network<float>& network);

  // Before every micro-step: what the kernels did since the last one (validation) does not count.
  void BeginStep();
  // After it; it took `ms`.
  void AddStep(double ms);
  // After every update: its time counts among the steps'.
  void AddUpdate(double ms);

  int64_t steps() const { return steps_; }
  // What was added since the last call. The event's step is left to the caller.
  telemetry::KernelsEvent Take();

 private:
  struct Kernel {
    kernels::KernelId id = kernels::KernelId::kSdpaFwd;
    std::string name;
    double flops = 0;                  // of a launch
    runtime::KernelTimes before = {};  // the micro-step
    int64_t launches = 0;
    double ms = 0;
  };
  struct HostStep {
    std::string name;
    double flops = 0;  // of a micro-step
    double ms = 0;
    int64_t launches = 0;
  };

  Network<float>& network_;
  std::vector<Kernel> kernels_;
  std::vector<HostStep> host_;  // in the order of HostMs
  int64_t steps_ = 0;
  double ms_ = 0;
};

}  // namespace millwright::train
