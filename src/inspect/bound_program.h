// A program on a device, with surfaces of its own: set inputs, run, read outputs.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "base/result.h"
#include "device/device.h"
#include "mil/ops/op.h"
#include "mil/program.h"
#include "mil/weights.h"

namespace millwright::inspect {

class BoundProgram {
 public:
  // Compiles the first function of `program` and binds it to surfaces that the device allocates.
  // `device` and `weights` must outlive the result.
  static Result<BoundProgram> Create(device::Device& device, const mil::Program& program,
                                     const mil::WeightStore& weights);

  // Brings the elements of input `index`, as many as its type has, to the device: rounded to the
  // port's declared dtype, except where the device stores doubles.
  Status SetInput(size_t index, std::span<const double> elements);

  Status Run() { return call_->Run(); }

  // The elements of output `index` as the device stores them, and in which dtype.
  Result<mil::Array> Output(size_t index) const;
  DType output_storage(size_t index) const { return outputs_[index]->desc().storage; }

 private:
  BoundProgram() = default;

  std::unique_ptr<device::Executable> executable_;
  std::vector<std::unique_ptr<device::Surface>> inputs_, outputs_;
  std::unique_ptr<device::Call> call_;
};

}  // namespace millwright::inspect
