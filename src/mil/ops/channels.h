// Operations with parameters for each channel of a tensor [n, C, *D].
#pragma once

#include <initializer_list>
#include <string_view>

#include "mil/ops/rules.h"
#include "mil/ops/walk.h"

namespace millwright::mil {

// `x` is a float of rank 3 to 5; those of `keys` that are present are floats of shape [C].
Status CheckChannels(const Call& call, std::initializer_list<std::string_view> keys);

// An array of `type` with fn(element, channel) for every element of `x`.
template <class Fn>
Array MapChannels(const Array& x, const Type& type, const Fn& fn) {
  Array result = NewArray(type);
  const AxisSplit split = SplitAt(x.type.shape, 1);
  size_t at = 0;
  for (int64_t n = 0; n < split.outer; ++n) {
    for (int64_t channel = 0; channel < split.length; ++channel) {
      for (int64_t i = 0; i < split.inner; ++i, ++at) {
        result.data[at] = fn(x.data[at], static_cast<size_t>(channel));
      }
    }
  }
  return result;
}

}  // namespace millwright::mil
