// The CPU device: our compiler for MIL.
//
// A program is compiled once into a list of steps over buffers of floats: slices, reshapes and
// transposes become strided views, concat is written in place, matmul, linear and 1x1 convolutions
// go to the GEMM library, elementwise chains, reductions and masked attention are fused, and
// buffers share one arena by liveness. See docs/devices.md.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "device/device.h"
#include "math/gemm_table.h"
#include "mil/program.h"
#include "mil/weights.h"

namespace millwright::device {

// Precisions:
//   fp32  surfaces of float ports hold fp32, whatever the program declares; arithmetic is fp32 and
//         nothing is rounded further.
//   fp16  surfaces of float ports hold fp16. Values are computed in fp32; a value that the program
//         declares fp16 is rounded to fp16 (nearest even) when a step writes it to memory. Values
//         that live only inside a fused step (elementwise chains, attention scores) stay fp32.
//   int8  as fp32, but products of a matrix that is an input or constant (weights) with a matrix of
//         activations are made of 8-bit operands (math/int8.h): weights with a scale a row of the
//         product, activations with one a column. A call keeps the 8-bit form of each weight, and
//         makes it anew only where the surface is not held or has changed (surface.h).
//   bf16  the same of operands rounded to bf16 (nearest even), with products and sums in fp32; and
//         Caps::gradient_operands asks the host to round those of weights' gradients, too.
// `exact` is refused; the reference device has it. Integers are held as floats between
// steps: exact up to 2^24. Runs of one device's executables must not overlap in time: they share
// the arena and the GEMM engine. `threads` above 0 sets the process's threads.
// A run allocates nothing, except in operations that have no lowering of their own (ExplainProgram
// shows them as "evaluate").
// `gemm_table` says which implementation carries out which product; null: the fixed rule alone.
Result<std::unique_ptr<Device>> OpenCpuDevice(
    const DeviceOptions& options, std::shared_ptr<const math::GemmTable> gemm_table = nullptr);

// Whether the device has a precision. Bad input: exact.
Status CheckCpuPrecision(Precision precision);

// What Compile makes of `program` (report.h has it as data): one line a step, then the bytes of the
// arena and of the constants.
Result<std::string> ExplainProgram(const mil::Program& program, const mil::WeightStore& weights,
                                   const DeviceOptions& options);

}  // namespace millwright::device
