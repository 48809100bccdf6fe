// A network's weights as the source of a generator's.
#pragma once

#include <gtest/gtest.h>

#include <memory>

#include "app/open_device.h"
#include "train/network.h"

namespace millwright::testing {

inline std::unique_ptr<device::Device> OpenTestDevice(const char* name, Precision precision) {
  auto device = app::OpenDevice(name, {.precision = precision});
  EXPECT_TRUE(device.ok()) << (device.ok() ? "" : device.error().message);
  return std::move(*device);
}

// Reads a tensor of a network of the same config.
template <class T>
checkpoint::TensorSource SourceOf(train::Network<T>& network) {
  return [&network](const model::TensorSpec& spec, std::span<float> out) -> Status {
    const auto& value = network.parameters().Get(spec.role, spec.layer).value;
    for (size_t i = 0; i < out.size(); ++i) out[i] = static_cast<float>(value[i]);
    return {};
  };
}

}  // namespace millwright::testing
