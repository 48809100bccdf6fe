// Copies between host operands and the segments of a surface.
#pragma once

#include <cstddef>
#include <vector>

#include "base/result.h"
#include "device/surface.h"
#include "kernels/layout.h"

namespace millwright::runtime {

// An operand's host memory (elements of T, row-major, dense) and its place in a port.
template <class T>
struct BoundSegment {
  const kernels::Segment* segment = nullptr;
  T* host = nullptr;
  bool weight = false;
};

// Writes the segments whose `weight` flag equals `weights` into the surface.
template <class T>
Status CopyIn(const std::vector<BoundSegment<T>>& segments, const kernels::Port& port, bool weights,
              device::Surface& surface);

// Reads all segments out of the surface.
template <class T>
Status CopyOut(const std::vector<BoundSegment<T>>& segments, const kernels::Port& port,
               device::Surface& surface);

}  // namespace millwright::runtime
