// Runs programs on the CPU device and on the reference, for the tests of this folder.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "base/rng.h"
#include "base/tolerance.h"
#include "device/cpu/cpu_device.h"
#include "device/device.h"
#include "device/reference/reference_device.h"
#include "mil/program.h"
#include "mil/weights.h"

namespace millwright::device::cpu {

using Tensor = std::vector<double>;

inline std::unique_ptr<Device> OpenCpu(Precision precision = Precision::kFp32) {
  auto device = OpenCpuDevice({.precision = precision});
  EXPECT_TRUE(device.ok()) << (device ? "" : device.error().message);
  return device ? *std::move(device) : nullptr;
}

inline std::unique_ptr<Device> OpenReference(Precision precision = Precision::kExact) {
  auto device = OpenReferenceDevice({.precision = precision});
  EXPECT_TRUE(device.ok()) << (device ? "" : device.error().message);
  return device ? *std::move(device) : nullptr;
}

inline void Fill(Surface& surface, const Tensor& values) {
  auto mapping = surface.Map(Access::kWrite);
  for (size_t i = 0; i < values.size(); ++i) {
    StoreElement(surface.desc().storage, mapping->bytes().data(), i, values[i]);
  }
}

inline Tensor Contents(Surface& surface) {
  auto mapping = surface.Map(Access::kRead);
  Tensor values(static_cast<size_t>(surface.desc().type.elements()));
  for (size_t i = 0; i < values.size(); ++i) {
    values[i] = LoadElement(surface.desc().storage, mapping->bytes().data(), i);
  }
  return values;
}

// A program compiled on a device and bound to surfaces of its own.
struct Bound {
  std::unique_ptr<Executable> executable;
  std::vector<std::unique_ptr<Surface>> inputs, outputs;
  std::unique_ptr<Call> call;
};

inline Result<Bound> BindProgram(Device& device, const mil::Program& program,
                                 const mil::WeightStore& weights) {
  Bound bound;
  auto executable = device.Compile(program, weights);
  if (!executable) return executable.error();
  bound.executable = *std::move(executable);
  std::vector<Surface*> in, out;
  const mil::Function& f = program.main();
  for (mil::ValueId value : f.inputs) {
    auto surface = device.NewSurface(f.value(value).type);
    if (!surface) return surface.error();
    in.push_back(surface->get());
    bound.inputs.push_back(*std::move(surface));
  }
  for (mil::ValueId value : f.outputs) {
    auto surface = device.NewSurface(f.value(value).type);
    if (!surface) return surface.error();
    out.push_back(surface->get());
    bound.outputs.push_back(*std::move(surface));
  }
  auto call = bound.executable->Bind(in, out);
  if (!call) return call.error();
  bound.call = *std::move(call);
  return bound;
}

// What ExplainProgram says, and how often it says `what`.
inline std::string Explain(const mil::Program& program, const mil::WeightStore& weights,
                           const DeviceOptions& options = {}) {
  auto text = ExplainProgram(program, weights, options);
  EXPECT_TRUE(text.ok()) << (text.ok() ? "" : text.error().message);
  return text.ok() ? *std::move(text) : "";
}

inline int Lines(const std::string& text, std::string_view what) {
  int count = 0;
  for (size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++count;
  return count;
}

// Seeded inputs, representable in fp16 so that every precision sees the same numbers.
inline std::vector<Tensor> RandomInputs(const mil::Program& program, uint64_t seed,
                                        double scale = 1.0) {
  std::vector<Tensor> inputs;
  const mil::Function& f = program.main();
  for (size_t i = 0; i < f.inputs.size(); ++i) {
    const Rng rng(seed, i);
    Tensor values(static_cast<size_t>(f.value(f.inputs[i]).type.elements()));
    for (size_t k = 0; k < values.size(); ++k) {
      values[k] = static_cast<double>(ToFloat(DoubleToFp16(scale * rng.Normal(k))));
    }
    inputs.push_back(std::move(values));
  }
  return inputs;
}

inline Result<std::vector<Tensor>> RunProgram(Device& device, const mil::Program& program,
                                              const mil::WeightStore& weights,
                                              const std::vector<Tensor>& inputs) {
  auto bound = BindProgram(device, program, weights);
  if (!bound) return bound.error();
  for (size_t i = 0; i < inputs.size(); ++i) Fill(*bound->inputs[i], inputs[i]);
  if (Status status = bound->call->Run(); !status) return status.error();
  std::vector<Tensor> outputs;
  for (auto& surface : bound->outputs) outputs.push_back(Contents(*surface));
  return outputs;
}

// Runs on cpu and on the reference. `terms` bounds the roundings on the way to one element (lengths
// of sums and number of operations); how much the program amplifies them is read off the
// reference's own fp32 error.
inline void ExpectLikeReference(const mil::Program& program, const mil::WeightStore& weights,
                                const std::vector<Tensor>& inputs, int64_t terms,
                                Precision precision = Precision::kFp32) {
  const auto actual = RunProgram(*OpenCpu(precision), program, weights, inputs);
  ASSERT_TRUE(actual.ok()) << actual.error().message;
  const auto exact = RunProgram(*OpenReference(), program, weights, inputs);
  ASSERT_TRUE(exact.ok()) << exact.error().message;
  const auto rounded = RunProgram(*OpenReference(precision), program, weights, inputs);
  ASSERT_TRUE(rounded.ok()) << rounded.error().message;
  const DType dtype = precision == Precision::kFp16 ? DType::kFp16 : DType::kFp32;
  for (size_t i = 0; i < exact->size(); ++i) {
    const auto span = [](const Tensor& t) { return std::span<const double>(t); };
    const double own = NormError(span((*rounded)[i]), span((*exact)[i]));
    const double error = NormError(span((*actual)[i]), span((*exact)[i]));
    const double bound = Gamma(DType::kFp32, terms) + 2 * UnitRoundoff(dtype) + 4 * own;
    EXPECT_LE(error, bound) << "output " << i << " (the reference's own error is " << own << ")";
  }
}

}  // namespace millwright::device::cpu
