// Buffer objects of Espresso as the engine's memory.
#pragma once

#include "device/ane/api.h"
#include "device/ane/e5_ref.h"
#include "device/ane/path.h"

namespace millwright::device::ane {

// A buffer that the host can address at any time; there are no locks.
class E5Buffer final : public Memory {
 public:
  static Result<std::unique_ptr<Memory>> Create(std::shared_ptr<const Api> api, size_t bytes);

  size_t bytes() const override { return bytes_; }
  Result<std::byte*> Lock(Access) override { return data_; }
  Status Unlock(Access) override { return {}; }

  E5Handle get() const { return buffer_.get(); }

 private:
  E5Buffer(std::shared_ptr<const Api> api, E5Ref buffer, std::byte* data, size_t bytes)
      : api_(std::move(api)), buffer_(std::move(buffer)), data_(data), bytes_(bytes) {}

  std::shared_ptr<const Api> api_;
  E5Ref buffer_;
  std::byte* data_;
  size_t bytes_;
};

}  // namespace millwright::device::ane
