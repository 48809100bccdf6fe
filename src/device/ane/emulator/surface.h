// IOSurfaces, with the rules of real ones about sizes and locks.
#pragma once

#include <cstddef>

#include "base/aligned.h"
#include "device/ane/emulator/object.h"

namespace millwright::device::ane::emulator {

struct IoSurfaceObject final : Object {
  explicit IoSurfaceObject(size_t bytes) : Object(GetClass("IOSurface")), memory(bytes) {}

  AlignedBuffer<std::byte> memory;
  int readers = 0, writers = 0;  // locks
};

}  // namespace millwright::device::ane::emulator
