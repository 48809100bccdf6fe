// IOSurfaces as the engine's memory.
#pragma once

#include "device/ane/objects.h"
#include "device/ane/path.h"

namespace millwright::device::ane {

// A flat surface of one row: the engine reads tensors from its first byte, without strides (fact
// B7).
class IoSurface final : public Memory {
 public:
  static Result<std::unique_ptr<Memory>> Create(std::shared_ptr<const Api> api, size_t bytes);

  size_t bytes() const override { return bytes_; }
  Result<std::byte*> Lock(Access access) override;
  Status Unlock(Access access) override;

  Id get() const { return surface_.get(); }

 private:
  IoSurface(std::shared_ptr<const Api> api, Ref surface, size_t bytes)
      : api_(std::move(api)), surface_(std::move(surface)), bytes_(bytes) {}

  std::shared_ptr<const Api> api_;  // outlives the reference
  Ref surface_;
  size_t bytes_;
};

}  // namespace millwright::device::ane
