// What a program costs: work, bytes and memory, operation by operation, read off shapes alone.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "mil/program.h"

namespace millwright::inspect {

// One operation that runs at run time.
struct OperationCost {
  const mil::Operation* operation = nullptr;
  // Products and sums: 2 for each multiply-add. Elementwise functions count 1 an element, a softmax
  // 5, a reduction 1 for each element that it reads, what only moves elements 0.
  double flops = 0;
  double weight_bytes = 0;        // constants of more than one element, and constexpr results
  double read_bytes = 0;          // other operands
  double written_bytes = 0;       // results
  double live_bytes = 0;          // working set: values needed at this time, its weights among them
  bool constant_weights = false;  // a sum of products with a constant operand
  bool sums_products = false;
  int64_t results_channels = 1;  // the result's second axis, or its first

  double bytes() const { return weight_bytes + read_bytes + written_bytes; }
};

struct ProgramCost {
  std::vector<OperationCost> operations;
  double flops = 0;
  double weight_bytes = 0;  // each constant once
  double input_bytes = 0, output_bytes = 0;
  double peak_bytes = 0;  // the largest working set
  std::string largest;    // the largest value that is no constant
  mil::Type largest_type;

  // Bytes that enter and leave the program, and FLOPs for each of them.
  double bytes() const { return weight_bytes + input_bytes + output_bytes; }
  double intensity() const { return bytes() > 0 ? flops / bytes() : 0; }
};

// `function` must be verified.
ProgramCost CostOf(const mil::Function& function);

}  // namespace millwright::inspect
