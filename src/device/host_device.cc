#include "device/host_device.h"

#include "device/host_surface.h"
#include "mil/verify.h"

namespace millwright::device {

std::vector<Issue> HostDevice::Check(const mil::Program& program) const {
  const Status status = mil::Verify(program);
  if (status) return {};
  return {{.constraint = "verify", .where = "", .message = status.error().message}};
}

Result<std::unique_ptr<Surface>> HostDevice::NewSurface(const mil::Type& type) {
  const Result<DType> storage = HostStorage(type, caps_.storage);
  if (!storage) return storage.error();
  return HostSurface::Allocate({type, *storage});
}

Result<std::unique_ptr<Surface>> HostDevice::WrapHost(const mil::Type& type,
                                                      std::span<std::byte> memory) {
  const Result<DType> storage = HostStorage(type, caps_.storage);
  if (!storage) return storage.error();
  return HostSurface::Wrap({type, *storage}, memory);
}

}  // namespace millwright::device
