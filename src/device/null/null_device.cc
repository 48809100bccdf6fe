#include "device/null/null_device.h"

#include <algorithm>
#include <utility>

#include "device/host_surface.h"
#include "device/ports.h"
#include "mil/verify.h"

namespace millwright::device {
namespace {

class NullCall final : public Call {
 public:
  Status Run() override { return {}; }
};

class NullExecutable final : public Executable {
 public:
  NullExecutable(mil::Function function, DType storage)
      : function_(std::move(function)), storage_(storage) {}

  Result<std::unique_ptr<Call>> Bind(std::span<Surface* const> inputs,
                                     std::span<Surface* const> outputs) override {
    const Status status = CheckPorts(function_, inputs, outputs, storage_);
    if (!status) return status.error();
    for (Surface* output : outputs) {
      const Result<Surface::Mapping> mapping = output->Map(Access::kWrite);
      if (!mapping) return mapping.error();
      std::ranges::fill(mapping->bytes(), std::byte{0});
    }
    return std::unique_ptr<Call>(new NullCall);
  }

 private:
  mil::Function function_;
  DType storage_;
};

class NullDevice final : public Device {
 public:
  explicit NullDevice(const DeviceOptions& options) {
    caps_.storage = FloatStorage(options.precision);
    caps_.dtype = caps_.storage == DType::kFp16 ? DType::kFp16 : DType::kFp32;
    caps_.wraps_host_memory = true;
    caps_.computes = false;
  }

  std::string_view name() const override { return "null"; }
  const Caps& caps() const override { return caps_; }

  std::vector<Issue> Check(const mil::Program& program) const override {
    const Status status = mil::Verify(program);
    if (status) return {};
    return {{.constraint = "verify", .where = "", .message = status.error().message}};
  }

  Result<std::unique_ptr<Executable>> Compile(const mil::Program& program,
                                              const mil::WeightStore&) override {
    if (Status status = mil::Verify(program); !status) return status.error();
    return std::unique_ptr<Executable>(new NullExecutable(program.main(), caps_.storage));
  }

  Result<std::unique_ptr<Surface>> NewSurface(const mil::Type& type) override {
    const Result<DType> storage = HostStorage(type, caps_.storage);
    if (!storage) return storage.error();
    return HostSurface::Allocate({type, *storage});
  }

  Result<std::unique_ptr<Surface>> WrapHost(const mil::Type& type,
                                            std::span<std::byte> memory) override {
    const Result<DType> storage = HostStorage(type, caps_.storage);
    if (!storage) return storage.error();
    return HostSurface::Wrap({type, *storage}, memory);
  }

 private:
  Caps caps_;
};

}  // namespace

Result<std::unique_ptr<Device>> OpenNullDevice(const DeviceOptions& options) {
  return std::unique_ptr<Device>(new NullDevice(options));
}

}  // namespace millwright::device
