// The compiler service and the engine: programs from files, run on raw memory.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "device/ane/target.h"
#include "device/device.h"
#include "mil/program.h"

namespace millwright::device::ane::emulator {

// A compiled program. Weights are part of it: files that change later change nothing (fact C1).
class EngineProgram {
 public:
  // Compiles the text of `mil_path`, whose weight files lie below the same folder, for the machine.
  // The error is the compiler's: InvalidMILProgram, and as for us more words about why.
  static Result<std::shared_ptr<EngineProgram>> Compile(const std::string& mil_path);

  uint64_t weight_bytes() const { return weight_bytes_; }
  const mil::Function& function() const { return function_; }
  // Ports by symbol (port_order.h).
  const std::vector<size_t>& input_order() const { return input_order_; }
  const std::vector<size_t>& output_order() const { return output_order_; }
  size_t BytesOf(mil::ValueId port) const { return function_.value(port).type.bytes(); }

  // Reads and writes dense tensors at the start of each memory, in the order of the function's
  // ports. A port whose width is no multiple of 16 elements is read and written with rows of the
  // engine's own length, which scatters its data (fact B6).
  Status Run(std::span<const std::span<std::byte>> inputs,
             std::span<const std::span<std::byte>> outputs);

 private:
  EngineProgram() = default;
  Status MakeSurfaces();

  std::unique_ptr<Device> device_;
  std::unique_ptr<Executable> executable_;
  std::vector<std::unique_ptr<Surface>> surfaces_;  // inputs, then outputs
  std::unique_ptr<Call> call_;
  std::mutex mutex_;  // a program runs one request at a time
  mil::Function function_;
  std::vector<size_t> input_order_, output_order_;
  uint64_t weight_bytes_ = 0;
};

}  // namespace millwright::device::ane::emulator
