// Programs for measuring a Neural Engine, with results that are known without computing them.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "device/device.h"
#include "mil/builder.h"

namespace millwright::app {

// A program on a device with its surfaces: one input, one output, both fp16.
class ProgramRun {
 public:
  // Refuses what the device's constraints speak against. The device must outlive the run.
  static Result<std::unique_ptr<ProgramRun>> Open(device::Device& device,
                                                  Result<mil::Builder::Built> built);

  Status Write(const std::vector<Fp16>& values);
  Result<std::vector<Fp16>> Read();
  Status Run() { return call_->Run(); }

 private:
  mil::Builder::Built built_;
  std::unique_ptr<device::Executable> executable_;
  std::unique_ptr<device::Surface> input_, output_;
  std::unique_ptr<device::Call> call_;
};

// y = relu(x) on [1, 32, 1, 64]: what a launch costs at least.
Result<mil::Builder::Built> SmallestProgram();

// A chain of `depth` 1x1 convolutions on [1, channels, size, size] with Hadamard matrices, whose
// entries are all +-1 times a power of two, no two of them alike. Two of them in a row are the
// identity, and every sum is exact in fp16 for inputs of ChainInput: an even chain gives its input
// back, bit for bit. `channels` is a power of two. With `eight_bits` weights are int8 and
// activations are quantized to int8 before every layer, exactly as well.
Result<mil::Builder::Built> ConvChain(int64_t channels, int64_t size, int64_t depth,
                                      bool eight_bits);

// -1/8, 0 and 1/8 at random.
std::vector<Fp16> ChainInput(int64_t channels, int64_t size);

// One 1x1 convolution on [1, channels, 1, width].
Result<mil::Builder::Built> OneConv(int64_t channels, int64_t width);

}  // namespace millwright::app
