// Where the time of a micro-step goes, in the few parts that people look at.
#pragma once

#include <array>
#include <map>
#include <string>
#include <utility>

#include "telemetry/event.h"

namespace millwright::telemetry {

// Milliseconds.
struct PhaseSplit {
  double forward = 0;     // kernels and norms
  double backward = 0;    // kernels, norms, elementwise steps, what is recomputed
  double staging = 0;     // copies between the host and the device
  double dw = 0;          // gradients of weights, on the host
  double classifier = 0;  // with loss and embedding
  double optimizer = 0;   // of the update, shared among its micro-steps
  double other = 0;       // what is not booked, reading data among it

  static constexpr size_t kParts = 7;
  // In the order above, for tables and stacked bars.
  std::array<std::pair<const char*, double>, kParts> parts() const;
  double total() const;
};

// The split of a micro-step; `optimizer_ms` is that of an update over its number of micro-steps.
PhaseSplit SplitPhases(const StepEvent& step, double optimizer_ms = 0);

// a + weight * (b - a), part by part: for means over steps.
PhaseSplit Mix(const PhaseSplit& a, const PhaseSplit& b, double weight);

}  // namespace millwright::telemetry
