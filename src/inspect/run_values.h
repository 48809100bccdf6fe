// All values of one run of a program, intermediate ones among them.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "device/device.h"
#include "device/reference/evaluator.h"
#include "mil/program.h"
#include "mil/weights.h"

namespace millwright::inspect {

// By value, as in mil::Function::values; null only for what is known at compile time.
using RunValues = std::vector<device::ArrayPtr>;

// A program of one function, what it reads, and where it runs.
struct RunSource {
  device::Device& device;
  const mil::Program& program;
  const mil::WeightStore& weights;
  std::span<const std::vector<double>> inputs;  // elements, in the order of the function's inputs
};

// Whether `operation` runs at run time: constants and constexpr operations do not.
bool RunsAtRunTime(const mil::Operation& operation);

// "matmul (scores)".
std::string OperationName(const mil::Function& function, const mil::Operation& operation);

// `values`, and the constants of the function of `evaluator` besides.
RunValues WithConstants(const device::Evaluator& evaluator, const RunValues& values);

// Runs on the evaluator, which is asked for every value.
Result<RunValues> EvaluatorValues(const device::Evaluator& evaluator,
                                  std::span<const std::vector<double>> inputs);

// Runs on any device: the program as it is, then once for every intermediate value with that value
// as one more output. All else stays as it is, so that what is looked at is what ran: the device
// still fuses, up to the value that it is asked to show.
Result<RunValues> DeviceValues(const RunSource& source);

// The way that suits the device: `reference` is asked, others show.
Result<RunValues> ValuesOf(const RunSource& source, Precision precision);

}  // namespace millwright::inspect
