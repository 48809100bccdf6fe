// What the devices that compute on the host have in common about a program's inputs and outputs.
#pragma once

#include <span>

#include "base/numerics.h"
#include "base/result.h"
#include "device/surface.h"
#include "mil/program.h"

namespace millwright::device {

// The dtype of a float surface's elements: fp64 for `exact`, fp32 for `fp32`, fp16 for `fp16` and
// `ane`.
DType FloatStorage(Precision precision);

// Checks the surfaces given to Bind against the function: their number, types and storage. The
// error names the port.
Status CheckPorts(const mil::Function& function, std::span<Surface* const> inputs,
                  std::span<Surface* const> outputs, DType float_storage);

// The same where each float port is stored in its declared dtype.
Status CheckPorts(const mil::Function& function, std::span<Surface* const> inputs,
                  std::span<Surface* const> outputs);

}  // namespace millwright::device
