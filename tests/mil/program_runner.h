// Compiles and runs a program on a device in one go.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "device/device.h"
#include "mil/program.h"

namespace millwright {

// A device and a precision that a suite runs on.
struct Target {
  std::string device;
  Precision precision = Precision::kFp32;
  std::function<Result<std::unique_ptr<device::Device>>(const device::DeviceOptions&)> open;

  std::string name() const;  // "reference_fp16"
};

// Every device that computes, in each of its precisions. A new device adds its line here.
std::vector<Target> ComputingTargets();

using Values = std::vector<std::vector<double>>;

// Runs the program's main function on `inputs`, one list of elements an input in the function's
// order, and returns the outputs alike.
Result<Values> RunProgram(device::Device& device, const mil::Program& program,
                          const mil::WeightStore& weights, const Values& inputs);

}  // namespace millwright
