// A way to the Neural Engine. The device is the same above it.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "device/surface.h"
#include "mil/program.h"
#include "mil/weights.h"

namespace millwright::device::ane {

// Memory that the engine reads and writes.
class Memory {
 public:
  virtual ~Memory() = default;
  virtual size_t bytes() const = 0;
  // The first byte, until Unlock.
  virtual Result<std::byte*> Lock(Access access) = 0;
  virtual Status Unlock(Access access) = 0;
};

// A program with its memory attached.
class Request {
 public:
  virtual ~Request() = default;
  // Runs to the end. After a failure the outputs hold whatever they held before.
  virtual Status Evaluate() = 0;
};

// A compiled and loaded program.
class LoadedProgram {
 public:
  virtual ~LoadedProgram() = default;
  // Memory in the order of the function's inputs and outputs. The request must not outlive the
  // program or the memory.
  virtual Result<std::unique_ptr<Request>> Bind(std::span<Memory* const> inputs,
                                                std::span<Memory* const> outputs) = 0;
};

// What the compiler gets.
struct Source {
  const mil::Function* function = nullptr;
  std::string text;
  const mil::WeightStore* weights = nullptr;
};

class Path {
 public:
  virtual ~Path() = default;
  virtual Result<std::shared_ptr<LoadedProgram>> Compile(const Source& source) = 0;
  // At least `bytes` bytes, zeroed.
  virtual Result<std::unique_ptr<Memory>> Allocate(size_t bytes) = 0;
  // Whether all inputs of a request must have the same size, and all outputs (fact B9).
  virtual bool wants_equal_sizes() const = 0;
};

}  // namespace millwright::device::ane
