// Surfaces in ordinary memory, for the devices that compute on the host.
#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "base/result.h"
#include "device/surface.h"

namespace millwright::device {

// The alignment of a host surface's first byte: one cache line.
inline constexpr size_t kHostAlignment = 64;

// A surface whose bytes can be read and written at any time: locking does nothing.
class HostSurface final : public Surface {
 public:
  // Zeroed memory of its own.
  static Result<std::unique_ptr<Surface>> Allocate(SurfaceDesc desc);

  // A surface over the caller's `memory`, which must be kHostAlignment-aligned, have exactly
  // desc.bytes() bytes and outlive the surface.
  static Result<std::unique_ptr<Surface>> Wrap(SurfaceDesc desc, std::span<std::byte> memory);

  HostSurface(const HostSurface&) = delete;
  HostSurface& operator=(const HostSurface&) = delete;
  ~HostSurface() override;

  std::byte* data() const { return memory_.data(); }
  std::span<std::byte> bytes() const { return memory_; }

 private:
  HostSurface(SurfaceDesc desc, std::span<std::byte> memory, bool owned)
      : Surface(std::move(desc)), memory_(memory), owned_(owned) {}

  Result<std::span<std::byte>> Lock(Access) override { return memory_; }
  void Unlock(Access) override {}

  std::span<std::byte> memory_;
  bool owned_;
};

// The dtype in which a host device keeps a port of `type`: floats as `float_storage`, integers and
// bools as themselves. Strings cannot be surfaces.
Result<DType> HostStorage(const mil::Type& type, DType float_storage);

}  // namespace millwright::device
