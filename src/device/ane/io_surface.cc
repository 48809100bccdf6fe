#include "device/ane/io_surface.h"

#include <cstring>

#include "device/ane/surface_size.h"

namespace millwright::device::ane {
namespace {

uint32_t LockOptions(Access access) { return access == Access::kRead ? kSurfaceReadOnly : 0; }

Result<Ref> Properties(const CFunctions& c, size_t bytes) {
  const auto size = static_cast<int64_t>(bytes);
  const std::pair<Id, int64_t> values[] = {
      {*c.kIOSurfaceWidth, size},        {*c.kIOSurfaceHeight, 1},
      {*c.kIOSurfaceBytesPerElement, 1}, {*c.kIOSurfaceBytesPerRow, size},
      {*c.kIOSurfaceAllocSize, size},    {*c.kIOSurfacePixelFormat, 0}};
  std::vector<std::pair<Ref, Ref>> entries;
  for (const auto& [key, value] : values) {
    auto number = MakeNumber(c, value);
    if (!number) return number.error();
    entries.emplace_back(Ref::Retain(c, key), *std::move(number));
  }
  return MakeDictionary(c, entries);
}

}  // namespace

Result<std::unique_ptr<Memory>> IoSurface::Create(std::shared_ptr<const Api> api, size_t bytes) {
  const CFunctions& c = api->c;
  const AutoreleasePool pool(c);
  const size_t size = SurfaceBytes(bytes);
  auto properties = Properties(c, size);
  if (!properties) return properties.error();
  Ref object = Ref::Adopt(c, c.IOSurfaceCreate(properties->get()));
  if (!object) return Failed("IOSurfaceCreate: no surface of {} bytes", size);
  const size_t found = c.IOSurfaceGetAllocSize(object.get());
  if (found < size) return Failed("IOSurfaceCreate: {} bytes instead of {}", found, size);
  std::unique_ptr<IoSurface> surface(new IoSurface(std::move(api), std::move(object), found));
  auto memory = surface->Lock(Access::kWrite);
  if (!memory) return memory.error();
  std::memset(*memory, 0, found);
  if (Status status = surface->Unlock(Access::kWrite); !status) return status.error();
  return std::unique_ptr<Memory>(std::move(surface));
}

Result<std::byte*> IoSurface::Lock(Access access) {
  const int code = api_->c.IOSurfaceLock(get(), LockOptions(access), nullptr);
  if (code != 0) return Failed("IOSurfaceLock failed with 0x{:x}", static_cast<unsigned>(code));
  void* base = api_->c.IOSurfaceGetBaseAddress(get());
  if (base == nullptr) {
    api_->c.IOSurfaceUnlock(get(), LockOptions(access), nullptr);
    return Failed("IOSurfaceGetBaseAddress returned nothing");
  }
  return static_cast<std::byte*>(base);
}

Status IoSurface::Unlock(Access access) {
  const int code = api_->c.IOSurfaceUnlock(get(), LockOptions(access), nullptr);
  if (code != 0) return Failed("IOSurfaceUnlock failed with 0x{:x}", static_cast<unsigned>(code));
  return {};
}

}  // namespace millwright::device::ane
