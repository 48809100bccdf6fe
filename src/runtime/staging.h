// Copies between host operands and the segments of surfaces.
#pragma once

#include <cstddef>
#include <vector>

#include "base/result.h"
#include "device/surface.h"
#include "kernels/layout.h"

namespace millwright::runtime {

// A rectangle of a surface.
struct Place {
  device::Surface* surface = nullptr;
  const kernels::Port* port = nullptr;
  const kernels::Segment* segment = nullptr;

  size_t bytes() const {
    return static_cast<size_t>(segment->rows * segment->columns) *
           DTypeSize(surface->desc().storage);
  }
};

// An operand's host memory (elements of T, row-major, dense) and its place on the device.
template <class T>
struct BoundOperand {
  Place place;
  T* host = nullptr;
  bool weight = false;
  Place source;        // where the device has it already; without a surface: nowhere
  bool stays = false;  // an output that the host does not read
};

// Writes host memory into its place.
template <class T>
Status CopyIn(const BoundOperand<T>& operand);

// Reads host memory from its place.
template <class T>
Status CopyOut(const BoundOperand<T>& operand);

// Copies between two places of the same shape and storage, both upright.
Status CopyAcross(const Place& from, const Place& to);

}  // namespace millwright::runtime
