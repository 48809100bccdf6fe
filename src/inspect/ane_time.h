// How long a program would take on an Apple Neural Engine, by published figures.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "inspect/cost.h"

namespace millwright::inspect {

// What was published about one chip. Sources: AF ANEForge, AI ane-infer, LA libane, MX maderix/ANE
// and the results in its issues, RU rustane (docs/mil-tour.md names the repositories).
struct AneFigures {
  std::string_view chip;
  double dispatch_us = 0;      // one evaluation of a small program
  double conv_tflops = 0;      // convolutions with constant weights, fp16, back to back
  double matmul_tflops = 0;    // products of two activations
  double stream_gb_per_s = 0;  // weights from memory
  std::string_view source;     // of each figure, or how it was filled in
};

std::span<const AneFigures> AllAneFigures();

// Bad input lists the chips.
Result<const AneFigures*> FindAneFigures(std::string_view chip);

// The parts of an estimate, in microseconds:
//   total = dispatch + max(compute, stream)
//   compute = sum of FLOPs / rate over the sums of products, at conv_tflops where an operand is
//             constant and at matmul_tflops elsewhere
//   stream = (weights + inputs + outputs) / stream_gb_per_s
// Everything else is taken to run beside the products, from on-chip memory.
struct AneTime {
  double dispatch_us = 0, compute_us = 0, stream_us = 0;
  std::vector<std::string> remarks;  // where the figures are known not to hold

  double total_us() const {
    return dispatch_us + (compute_us > stream_us ? compute_us : stream_us);
  }
};

AneTime EstimateAneTime(const ProgramCost& cost, const AneFigures& figures);

}  // namespace millwright::inspect
