#include "runtime/surface_pool.h"

#include <algorithm>
#include <cstdint>

namespace millwright::runtime {

template <class T>
bool SurfacePool<T>::HoldsWeights(kernels::KernelId kernel, const kernels::Port& port) const {
  for (const kernels::Segment& segment : port.segments) {
    const kernels::Operand* operand = programs_.operands(kernel).Find(segment.operand);
    if (operand != nullptr && operand->weight) return true;
  }
  return false;
}

template <class T>
Result<device::Surface*> SurfacePool<T>::Wrap(const kernels::Port& port, T* whole, bool weights) {
  const auto [first, last] = host_weights_.equal_range(whole);
  const auto known = std::find_if(
      first, last, [&](const auto& entry) { return entry.second->desc().type == port.type; });
  if (weights && known != last) return known->second;
  const size_t bytes = static_cast<size_t>(port.rows * port.columns) * sizeof(T);
  auto surface = device_.WrapHost(port.type, {reinterpret_cast<std::byte*>(whole), bytes});
  if (!surface) return surface.error();
  owned_.push_back(std::move(*surface));
  device::Surface* pointer = owned_.back().get();
  if (weights) {
    pointer->Hold();
    host_weights_.emplace(whole, pointer);
  }
  return pointer;
}

template <class T>
Result<device::Surface*> SurfacePool<T>::Get(kernels::KernelId kernel, const kernels::Port& port,
                                             T* whole, bool* wrapped) {
  const device::Caps& caps = device_.caps();
  constexpr uintptr_t kAlignment = 64;  // of memory that a device can wrap
  const bool aligned = reinterpret_cast<uintptr_t>(whole) % kAlignment == 0;
  *wrapped =
      whole != nullptr && aligned && caps.wraps_host_memory && caps.storage == DTypeOf<T>::value;
  const bool weights = HoldsWeights(kernel, port);
  if (*wrapped) return Wrap(port, whole, weights);
  const auto key = std::make_pair(kernel, &port);
  if (!weights && shared_.contains(key)) return shared_[key].get();
  auto surface = device_.NewSurface(port.type);
  if (!surface) return surface.error();
  device::Surface* pointer = surface->get();
  if (weights) {
    if (port.IsWholeOperand()) pointer->Hold();
    owned_.push_back(std::move(*surface));
  } else {
    shared_[key] = std::move(*surface);
  }
  return pointer;
}

template <class T>
Place SurfacePool<T>::Shared(kernels::KernelId kernel, std::string_view operand) const {
  const kernels::KernelProgram& program = programs_.program(kernel);
  for (const auto* ports : {&program.inputs, &program.outputs}) {
    for (const kernels::Port& port : *ports) {
      for (const kernels::Segment& segment : port.segments) {
        if (segment.operand != operand) continue;
        const auto found = shared_.find(std::make_pair(kernel, &port));
        if (found == shared_.end()) return {};
        return {found->second.get(), &port, &segment};
      }
    }
  }
  return {};
}

template <class T>
void SurfacePool<T>::WeightsChanged() {
  for (const auto& [memory, surface] : host_weights_) surface->Changed();
}

template class SurfacePool<float>;
template class SurfacePool<double>;

}  // namespace millwright::runtime
