// A small program, and running one on any device, for tests.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "base/rng.h"
#include "device/device.h"
#include "mil/builder.h"

namespace millwright::device::ane {

using Values = std::vector<double>;

// sum = b * x, product of a baked-in weight w, and scaled = a * x + x. Inputs b, a and x are
// neither in the order of their names nor of one size; outputs "sum" and "scaled" are not, either.
inline mil::Builder::Built SmallProgram(double weight = 0.5) {
  constexpr int64_t kWidth = 64, kChannels = 32;
  mil::Builder b;
  const auto matrix = b.Input("b", {DType::kFp16, {1, 1, kChannels * 2, kChannels}});
  const auto x = b.Input("x", {DType::kFp16, {1, 1, kChannels, kWidth}});
  const auto a = b.Input("a", {DType::kFp16, {1, 1, kChannels, kWidth}});
  const auto product = b.Matmul("product", matrix, x, false, false);
  const auto w = b.Weights("w.bin", {DType::kFp16, {1, 1, kChannels * 2, kWidth}},
                           Values(static_cast<size_t>(kChannels * 2 * kWidth), weight));
  const auto sum = b.Mul("sum", product, w);
  const auto ax = b.Mul("ax", a, x);
  const auto scaled = b.Add("scaled", ax, x);
  auto built = std::move(b).Finish({sum, scaled});
  EXPECT_TRUE(built.ok()) << (built.ok() ? "" : built.error().message);
  return *std::move(built);
}

// Normal values, other ones for each input.
inline std::vector<Values> RandomInputs(const mil::Function& function, uint64_t seed = 1) {
  std::vector<Values> inputs;
  for (mil::ValueId port : function.inputs) {
    const Rng rng(seed, StreamId(function.value(port).id.c_str()));
    Values& values = inputs.emplace_back();
    const auto count = static_cast<uint64_t>(function.value(port).type.elements());
    for (uint64_t i = 0; i < count; ++i) values.push_back(rng.Normal(i));
  }
  return inputs;
}

inline Status Fill(Surface& surface, const Values& values) {
  auto mapping = surface.Map(Access::kWrite);
  if (!mapping) return mapping.error();
  for (size_t i = 0; i < values.size(); ++i) {
    StoreElement(surface.desc().storage, mapping->bytes().data(), i, values[i]);
  }
  return {};
}

inline Result<Values> Contents(Surface& surface) {
  auto mapping = surface.Map(Access::kRead);
  if (!mapping) return mapping.error();
  Values values(static_cast<size_t>(surface.desc().type.elements()));
  for (size_t i = 0; i < values.size(); ++i) {
    values[i] = LoadElement(surface.desc().storage, mapping->bytes().data(), i);
  }
  return values;
}

// A program on a device, with surfaces of its own.
struct Bound {
  std::unique_ptr<Executable> executable;
  std::vector<std::unique_ptr<Surface>> inputs, outputs;
  std::unique_ptr<Call> call;
};

inline Result<Bound> BindProgram(Device& device, const mil::Builder::Built& built) {
  Bound bound;
  auto executable = device.Compile(built.program, built.weights);
  if (!executable) return executable.error();
  bound.executable = *std::move(executable);
  const mil::Function& function = built.program.main();
  std::vector<Surface*> inputs, outputs;
  for (const bool input : {true, false}) {
    for (mil::ValueId port : input ? function.inputs : function.outputs) {
      auto surface = device.NewSurface(function.value(port).type);
      if (!surface) return surface.error();
      (input ? inputs : outputs).push_back(surface->get());
      (input ? bound.inputs : bound.outputs).push_back(*std::move(surface));
    }
  }
  auto call = bound.executable->Bind(inputs, outputs);
  if (!call) return call.error();
  bound.call = *std::move(call);
  return bound;
}

inline Result<std::vector<Values>> RunBound(Bound& bound, const std::vector<Values>& inputs) {
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (Status status = Fill(*bound.inputs[i], inputs[i]); !status) return status.error();
  }
  if (Status status = bound.call->Run(); !status) return status.error();
  std::vector<Values> outputs;
  for (const auto& surface : bound.outputs) {
    auto values = Contents(*surface);
    if (!values) return values.error();
    outputs.push_back(*std::move(values));
  }
  return outputs;
}

inline Result<std::vector<Values>> RunProgram(Device& device, const mil::Builder::Built& built,
                                              const std::vector<Values>& inputs) {
  auto bound = BindProgram(device, built);
  if (!bound) return bound.error();
  return RunBound(*bound, inputs);
}

}  // namespace millwright::device::ane
