#include "device/surface.h"

#include <utility>

namespace millwright::device {

Surface::Mapping::Mapping(Mapping&& other) noexcept
    : surface_(std::exchange(other.surface_, nullptr)),
      bytes_(std::exchange(other.bytes_, {})),
      access_(other.access_) {}

Surface::Mapping::~Mapping() {
  if (surface_ == nullptr) return;
  if (access_ != Access::kRead) surface_->Changed();
  surface_->Unlock(access_);
}

Result<Surface::Mapping> Surface::Map(Access access) {
  Result<std::span<std::byte>> bytes = Lock(access);
  if (!bytes) return bytes.error();
  return Mapping(this, *bytes, access);
}

}  // namespace millwright::device
