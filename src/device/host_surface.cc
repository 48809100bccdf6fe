#include "device/host_surface.h"

#include <algorithm>
#include <cstdint>
#include <new>
#include <utility>

namespace millwright::device {

Result<std::unique_ptr<Surface>> HostSurface::Allocate(SurfaceDesc desc) {
  const size_t bytes = desc.bytes();
  // Never null, also for a tensor without elements.
  void* memory =
      ::operator new(std::max<size_t>(bytes, 1), std::align_val_t{kHostAlignment}, std::nothrow);
  if (memory == nullptr) {
    return Failed("surface {}: {} bytes of memory could not be had", mil::ToString(desc.type),
                  bytes);
  }
  std::span<std::byte> span(static_cast<std::byte*>(memory), bytes);
  std::ranges::fill(span, std::byte{0});
  return std::unique_ptr<Surface>(new HostSurface(std::move(desc), span, /*owned=*/true));
}

Result<std::unique_ptr<Surface>> HostSurface::Wrap(SurfaceDesc desc, std::span<std::byte> memory) {
  if (memory.size() != desc.bytes()) {
    return BadInput("surface {}: expected {} bytes ({} elements of {}), found {}",
                    mil::ToString(desc.type), desc.bytes(), desc.type.elements(),
                    DTypeName(desc.storage), memory.size());
  }
  if (reinterpret_cast<uintptr_t>(memory.data()) % kHostAlignment != 0) {
    return BadInput("surface {}: memory must be aligned to {} bytes", mil::ToString(desc.type),
                    kHostAlignment);
  }
  return std::unique_ptr<Surface>(new HostSurface(std::move(desc), memory, /*owned=*/false));
}

HostSurface::~HostSurface() {
  if (owned_) ::operator delete(memory_.data(), std::align_val_t{kHostAlignment});
}

Result<DType> HostStorage(const mil::Type& type, DType float_storage) {
  if (IsFloat(type.dtype)) return float_storage;
  if (DTypeSize(type.dtype) == 0) {
    return BadInput("surface {}: a {} cannot be held in a surface", mil::ToString(type),
                    DTypeName(type.dtype));
  }
  return type.dtype;
}

}  // namespace millwright::device
