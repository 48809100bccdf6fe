// Runs one kernel on a device with random operands, and compares it with its formula.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "app/open_device.h"
#include "base/aligned.h"
#include "base/rng.h"
#include "base/tolerance.h"
#include "kernels/formula.h"
#include "runtime/session.h"
#include "tests/training/tiny_models.h"

namespace millwright::testing {

// Random operands; probabilities and their gradient come from the first half of attention's
// backward.
inline kernels::OperandValues<double> RandomOperands(const kernels::KernelSpec& spec,
                                                     const kernels::KernelDef& kernel) {
  kernels::OperandValues<double> values;
  const auto fill = [&](const kernels::Operands& operands) {
    for (const kernels::Operand& operand : operands.inputs) {
      const Rng rng(3, StreamId(operand.name.c_str()));
      auto& data = values[operand.name];
      data.clear();
      for (int64_t i = 0; i < operand.rows * operand.columns; ++i) {
        data.push_back(static_cast<float>(0.5 * rng.Normal(static_cast<uint64_t>(i))));
      }
    }
  };
  fill(kernel.operands(spec));
  if (kernel.id == kernels::KernelId::kSdpaBwd2) {
    const kernels::KernelDef& first = kernels::Get(kernels::KernelId::kSdpaBwd1);
    fill(first.operands(spec));
    first.formula(spec, values);
  }
  return values;
}

// The outputs of `kernel` on `device`, through a Session: in the layout of the binding.
inline kernels::OperandValues<double> RunKernel(device::Device& device,
                                                const runtime::SessionOptions& options,
                                                const kernels::KernelDef& kernel,
                                                const kernels::OperandValues<double>& inputs) {
  auto session = runtime::Session<double>::Open(device, options);
  EXPECT_TRUE(session.ok()) << (session.ok() ? "" : session.error().message);
  const kernels::Operands operands = kernel.operands((*session)->spec());
  std::map<std::string, AlignedBuffer<double>> memory;
  runtime::OperandMemory<double> pointers;
  for (const auto* list : {&operands.inputs, &operands.outputs}) {
    for (const kernels::Operand& operand : *list) {
      auto& buffer = memory[operand.name];
      buffer = AlignedBuffer<double>(static_cast<size_t>(operand.rows * operand.columns));
      if (list == &operands.inputs) {
        std::copy(inputs.at(operand.name).begin(), inputs.at(operand.name).end(), buffer.data());
      }
      pointers[operand.name] = buffer.data();
    }
  }
  auto launch = (*session)->Prepare(kernel.id, 0, pointers);
  EXPECT_TRUE(launch.ok()) << (launch.ok() ? "" : launch.error().message);
  const Status staged = (*session)->StageWeights();
  EXPECT_TRUE(staged.ok());
  const Status ran = (*session)->Run(*launch);
  EXPECT_TRUE(ran.ok()) << (ran.ok() ? "" : ran.error().message);
  kernels::OperandValues<double> outputs;
  for (const kernels::Operand& operand : operands.outputs) {
    const auto& buffer = memory[operand.name];
    outputs[operand.name].assign(buffer.span().begin(), buffer.span().end());
  }
  return outputs;
}

}  // namespace millwright::testing
