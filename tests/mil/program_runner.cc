#include "tests/mil/program_runner.h"

#include "device/cpu/cpu_device.h"
#include "device/reference/reference_device.h"

namespace millwright {
namespace {

using device::Access;
using device::Surface;
using Surfaces = std::vector<std::unique_ptr<Surface>>;

Result<Surfaces> NewSurfaces(device::Device& device, const mil::Function& function,
                             const std::vector<mil::ValueId>& ports) {
  Surfaces surfaces;
  for (mil::ValueId port : ports) {
    auto surface = device.NewSurface(function.value(port).type);
    if (!surface) return surface.error();
    surfaces.push_back(*std::move(surface));
  }
  return surfaces;
}

std::vector<Surface*> Pointers(const Surfaces& surfaces) {
  std::vector<Surface*> pointers;
  for (const auto& surface : surfaces) pointers.push_back(surface.get());
  return pointers;
}

Status Write(const std::vector<double>& values, Surface* surface) {
  const auto mapping = surface->Map(Access::kWrite);
  if (!mapping) return mapping.error();
  const auto& desc = surface->desc();
  if (static_cast<int64_t>(values.size()) != desc.type.elements()) {
    return BadInput("{} elements for {}", values.size(), mil::ToString(desc.type));
  }
  for (size_t i = 0; i < values.size(); ++i) {
    StoreElement(desc.storage, mapping->bytes().data(), i, values[i]);
  }
  return {};
}

Result<std::vector<double>> Read(Surface* surface) {
  const auto mapping = surface->Map(Access::kRead);
  if (!mapping) return mapping.error();
  std::vector<double> values(static_cast<size_t>(surface->desc().type.elements()));
  for (size_t i = 0; i < values.size(); ++i) {
    values[i] = LoadElement(surface->desc().storage, mapping->bytes().data(), i);
  }
  return values;
}

}  // namespace

std::string Target::name() const { return fmt::format("{}_{}", device, PrecisionName(precision)); }

std::vector<Target> ComputingTargets() {
  std::vector<Target> targets;
  for (Precision precision :
       {Precision::kExact, Precision::kFp32, Precision::kFp16, Precision::kAne}) {
    targets.push_back({"reference", precision, device::OpenReferenceDevice});
  }
  for (Precision precision : {Precision::kFp32, Precision::kFp16, Precision::kAne}) {
    targets.push_back({"cpu", precision, [](const device::DeviceOptions& options) {
                         return device::OpenCpuDevice(options);
                       }});
  }
  return targets;
}

Result<Values> RunProgram(device::Device& device, const mil::Program& program,
                          const mil::WeightStore& weights, const Values& inputs) {
  const mil::Function& function = program.main();
  auto executable = device.Compile(program, weights);
  if (!executable) return executable.error();
  const Result<Surfaces> in = NewSurfaces(device, function, function.inputs);
  if (!in) return in.error();
  const Result<Surfaces> out = NewSurfaces(device, function, function.outputs);
  if (!out) return out.error();
  if (inputs.size() != in->size()) {
    return BadInput("{} inputs given, {} expected", inputs.size(), in->size());
  }
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (Status status = Write(inputs[i], (*in)[i].get()); !status) return status.error();
  }
  auto call = (*executable)->Bind(Pointers(*in), Pointers(*out));
  if (!call) return call.error();
  if (Status status = (*call)->Run(); !status) return status.error();
  Values outputs;
  for (const auto& surface : *out) {
    auto values = Read(surface.get());
    if (!values) return values.error();
    outputs.push_back(*std::move(values));
  }
  return outputs;
}

}  // namespace millwright
