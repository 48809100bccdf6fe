// What devices that compute on the host have in common.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "device/device.h"

namespace millwright::device {

// A device whose surfaces are host memory, and which takes every program that verifies.
class HostDevice : public Device {
 public:
  const Caps& caps() const override { return caps_; }
  std::vector<Issue> Check(const mil::Program& program) const override;
  Result<std::unique_ptr<Surface>> NewSurface(const mil::Type& type) override;
  Result<std::unique_ptr<Surface>> WrapHost(const mil::Type& type,
                                            std::span<std::byte> memory) override;

 protected:
  explicit HostDevice(Caps caps) : caps_(caps) {}

 private:
  const Caps caps_;
};

}  // namespace millwright::device
