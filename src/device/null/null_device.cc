#include "device/null/null_device.h"

#include <algorithm>
#include <utility>

#include "device/host_device.h"
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

Caps CapsOf(const DeviceOptions& options) {
  Caps caps;
  caps.storage = FloatStorage(options.precision);
  caps.dtype = caps.storage == DType::kFp16 ? DType::kFp16 : DType::kFp32;
  caps.wraps_host_memory = true;
  caps.computes = false;
  return caps;
}

class NullDevice final : public HostDevice {
 public:
  explicit NullDevice(const DeviceOptions& options) : HostDevice(CapsOf(options)) {}

  std::string_view name() const override { return "null"; }

  Result<std::unique_ptr<Executable>> Compile(const mil::Program& program,
                                              const mil::WeightStore&) override {
    if (Status status = mil::Verify(program); !status) return status.error();
    return std::unique_ptr<Executable>(new NullExecutable(program.main(), caps().storage));
  }
};

}  // namespace

Result<std::unique_ptr<Device>> OpenNullDevice(const DeviceOptions& options) {
  return std::unique_ptr<Device>(new NullDevice(options));
}

}  // namespace millwright::device
