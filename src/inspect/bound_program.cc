#include "inspect/bound_program.h"

#include <utility>

#include "base/numerics.h"

namespace millwright::inspect {
namespace {

using Surfaces = std::vector<std::unique_ptr<device::Surface>>;

Result<std::vector<device::Surface*>> NewSurfaces(device::Device& device,
                                                  const mil::Function& function,
                                                  const std::vector<mil::ValueId>& ports,
                                                  Surfaces* surfaces) {
  std::vector<device::Surface*> pointers;
  for (const mil::ValueId port : ports) {
    auto surface = device.NewSurface(function.value(port).type);
    if (!surface) return surface.error().In(function.value(port).id);
    pointers.push_back(surface->get());
    surfaces->push_back(*std::move(surface));
  }
  return pointers;
}

}  // namespace

Result<BoundProgram> BoundProgram::Create(device::Device& device, const mil::Program& program,
                                          const mil::WeightStore& weights) {
  BoundProgram bound;
  auto executable = device.Compile(program, weights);
  if (!executable) return executable.error();
  bound.executable_ = *std::move(executable);
  const mil::Function& function = program.main();
  const auto inputs = NewSurfaces(device, function, function.inputs, &bound.inputs_);
  if (!inputs) return inputs.error();
  const auto outputs = NewSurfaces(device, function, function.outputs, &bound.outputs_);
  if (!outputs) return outputs.error();
  auto call = bound.executable_->Bind(*inputs, *outputs);
  if (!call) return call.error();
  bound.call_ = *std::move(call);
  return bound;
}

Status BoundProgram::SetInput(size_t index, std::span<const double> elements) {
  device::Surface& surface = *inputs_[index];
  const auto mapping = surface.Map(device::Access::kWrite);
  if (!mapping) return mapping.error();
  const device::SurfaceDesc& desc = surface.desc();
  const bool exact = desc.storage == DType::kFp64;
  const Numerics numerics(exact ? Precision::kExact : Precision::kFp16);
  for (size_t i = 0; i < elements.size(); ++i) {
    StoreElement(desc.storage, mapping->bytes().data(), i,
                 numerics.Round(elements[i], desc.type.dtype));
  }
  return {};
}

Result<mil::Array> BoundProgram::Output(size_t index) const {
  device::Surface& surface = *outputs_[index];
  const auto mapping = surface.Map(device::Access::kRead);
  if (!mapping) return mapping.error();
  const device::SurfaceDesc& desc = surface.desc();
  mil::Array array{desc.type, std::vector<double>(static_cast<size_t>(desc.type.elements()))};
  for (size_t i = 0; i < array.data.size(); ++i) {
    array.data[i] = LoadElement(desc.storage, mapping->bytes().data(), i);
  }
  return array;
}

}  // namespace millwright::inspect
