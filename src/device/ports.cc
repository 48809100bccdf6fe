#include "device/ports.h"

#include <optional>

#include "device/host_surface.h"

namespace millwright::device {
namespace {

// The dtype of float surfaces; nothing: that of the port.
using FloatRule = std::optional<DType>;

Status CheckPort(const mil::Value& port, const Surface* surface, FloatRule float_storage) {
  if (surface == nullptr) return BadInput("'{}': no surface was given", port.id);
  const SurfaceDesc& desc = surface->desc();
  if (desc.type != port.type) {
    return BadInput("'{}': expected a surface of {}, found {}", port.id, mil::ToString(port.type),
                    mil::ToString(desc.type));
  }
  const Result<DType> storage = HostStorage(port.type, float_storage.value_or(port.type.dtype));
  if (!storage) return storage.error().In(port.id);
  if (desc.storage != *storage) {
    return BadInput("'{}': expected a surface that stores {}, found {}", port.id,
                    DTypeName(*storage), DTypeName(desc.storage));
  }
  return {};
}

Status CheckSide(const mil::Function& function, std::string_view side,
                 const std::vector<mil::ValueId>& ports, std::span<Surface* const> surfaces,
                 FloatRule float_storage) {
  if (ports.size() != surfaces.size()) {
    return BadInput("{}: expected {} {} surfaces, found {}", function.name, ports.size(), side,
                    surfaces.size());
  }
  for (size_t i = 0; i < ports.size(); ++i) {
    const Status status = CheckPort(function.value(ports[i]), surfaces[i], float_storage);
    if (!status) return status.error().In(fmt::format("{}: {} {}", function.name, side, i));
  }
  return {};
}

Status CheckSides(const mil::Function& function, std::span<Surface* const> inputs,
                  std::span<Surface* const> outputs, FloatRule float_storage) {
  Status status = CheckSide(function, "input", function.inputs, inputs, float_storage);
  if (!status) return status;
  return CheckSide(function, "output", function.outputs, outputs, float_storage);
}

}  // namespace

DType FloatStorage(Precision precision) {
  switch (precision) {
    case Precision::kExact:
      return DType::kFp64;
    case Precision::kFp32:
    case Precision::kBf16:
    case Precision::kInt8:
      return DType::kFp32;
    case Precision::kFp16:
    case Precision::kAne:
      break;
  }
  return DType::kFp16;
}

Status CheckPorts(const mil::Function& function, std::span<Surface* const> inputs,
                  std::span<Surface* const> outputs, DType float_storage) {
  return CheckSides(function, inputs, outputs, float_storage);
}

Status CheckPorts(const mil::Function& function, std::span<Surface* const> inputs,
                  std::span<Surface* const> outputs) {
  return CheckSides(function, inputs, outputs, std::nullopt);
}

}  // namespace millwright::device
