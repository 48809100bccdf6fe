// Visits the elements of a view one by one.
#pragma once

#include <cstdint>
#include <vector>

#include "device/cpu/view.h"

namespace millwright::device::cpu {

// Calls fn(offset) for every element of `view` in row-major order of its logical shape.
template <class Fn>
void ForEachOffset(const View& view, const Fn& fn) {
  std::vector<Dim> dims;
  for (const Axis& axis : view.axes) dims.insert(dims.end(), axis.begin(), axis.end());
  std::vector<int64_t> index(dims.size(), 0);
  int64_t offset = view.offset;
  const int64_t count = view.elements();
  for (int64_t i = 0; i < count; ++i) {
    fn(offset);
    for (size_t d = dims.size(); d-- > 0;) {
      offset += dims[d].stride;
      if (++index[d] < dims[d].size) break;
      offset -= dims[d].size * dims[d].stride;
      index[d] = 0;
    }
  }
}

}  // namespace millwright::device::cpu
