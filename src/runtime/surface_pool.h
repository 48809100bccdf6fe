// The surfaces of a session: over host memory where the device can wrap it, else one for all
// layers, or one a launch where weights stay in it between runs.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "device/device.h"
#include "runtime/kernel_programs.h"
#include "runtime/staging.h"

namespace millwright::runtime {

// A port of a launch with its operands' memory.
template <class T>
struct BoundPort {
  const kernels::Port* port = nullptr;
  device::Surface* surface = nullptr;
  bool wrapped = false;  // the surface is the operand's host memory
  std::vector<BoundOperand<T>> operands;
};

template <class T>
class SurfacePool {
 public:
  // Both must outlive the pool.
  SurfacePool(device::Device& device, const KernelPrograms& programs)
      : device_(device), programs_(programs) {}

  // The surface for a port of `kernel`; `whole` is the host memory that it would be a copy of, or
  // null. Sets `wrapped` where it is that memory.
  Result<device::Surface*> Get(kernels::KernelId kernel, const kernels::Port& port, T* whole,
                               bool* wrapped);

  // The place of an operand in a surface that all layers share; without a surface where there is
  // none.
  Place Shared(kernels::KernelId kernel, std::string_view operand) const;

  // The host has written to weights: surfaces over them have changed.
  void WeightsChanged();

 private:
  Result<device::Surface*> Wrap(const kernels::Port& port, T* whole, bool weights);
  bool HoldsWeights(kernels::KernelId kernel, const kernels::Port& port) const;

  device::Device& device_;
  const KernelPrograms& programs_;
  std::map<std::pair<kernels::KernelId, const kernels::Port*>, std::unique_ptr<device::Surface>>
      shared_;
  std::vector<std::unique_ptr<device::Surface>> owned_;
  // Surfaces over the host's weights, by their memory: one for each type that it is read as,
  // whatever kernels read it.
  std::multimap<const T*, device::Surface*> host_weights_;
};

}  // namespace millwright::runtime
