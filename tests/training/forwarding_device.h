// A device that hands everything on to another one, for tests that change one thing of it.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "device/device.h"

namespace millwright::testing {

class ForwardingDevice : public device::Device {
 public:
  explicit ForwardingDevice(std::unique_ptr<device::Device> device)
      : caps_(device->caps()), device_(std::move(device)) {}

  std::string_view name() const override { return device_->name(); }
  const device::Caps& caps() const override { return caps_; }
  int64_t compilations() const override { return device_->compilations(); }
  std::vector<device::Issue> Check(const mil::Program& program) const override {
    return device_->Check(program);
  }
  Result<std::unique_ptr<device::Executable>> Compile(const mil::Program& program,
                                                      const mil::WeightStore& weights) override {
    return device_->Compile(program, weights);
  }
  Result<std::unique_ptr<device::Surface>> NewSurface(const mil::Type& type) override {
    return device_->NewSurface(type);
  }
  Result<std::unique_ptr<device::Surface>> WrapHost(const mil::Type& type,
                                                    std::span<std::byte> memory) override {
    return device_->WrapHost(type, memory);
  }

 protected:
  device::Caps caps_;

 private:
  std::unique_ptr<device::Device> device_;
};

}  // namespace millwright::testing
