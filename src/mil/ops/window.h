// Windows that slide over the spatial axes of a tensor [n, C, *D]: what convolutions and pools
// share.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "mil/ops/rules.h"

namespace millwright::mil {

// One spatial axis.
struct WindowAxis {
  int64_t in = 1;
  int64_t kernel = 1;
  int64_t stride = 1;
  int64_t dilation = 1;
  int64_t pad = 0;    // before the first element
  int64_t after = 0;  // behind the last one
  int64_t out = 1;

  // The element under place `tap` of window `position`; outside of [0, in) it is padding.
  int64_t Input(int64_t position, int64_t tap) const {
    return position * stride - pad + tap * dilation;
  }
};

// 1 to 3 axes; fewer are treated as 3 with axes of length 1 in front.
struct Windows {
  size_t rank = 0;  // axes in the program: the last `rank` of `axes`
  std::array<WindowAxis, 3> axes;

  int64_t in() const { return axes[0].in * axes[1].in * axes[2].in; }
  int64_t out() const { return axes[0].out * axes[1].out * axes[2].out; }
  int64_t taps() const { return axes[0].kernel * axes[1].kernel * axes[2].kernel; }
  std::array<int64_t, 3> Tap(int64_t tap) const {
    return {tap / (axes[1].kernel * axes[2].kernel), tap / axes[2].kernel % axes[1].kernel,
            tap % axes[2].kernel};
  }
};

// Reads `strides`, `dilations`, `pad_type` and `pad` of `call` for windows of shape `kernel` on an
// input with spatial axes `in`; sets everything but `out`, and nothing of "same" paddings. Bad
// input: wrong lengths, entries below their range, an unknown pad_type, sizes beyond counting.
Result<Windows> ReadWindows(const Call& call, const Shape& in, const Shape& kernel);

// Sets `out` and "same" paddings of a convolution or pool. With `ceil_mode` a window may begin
// inside the input and end behind it. Bad input: a window that does not fit. Source: coremltools,
// spatial_dimensions_out_shape.
Status PlaceWindows(const Call& call, bool ceil_mode, Windows* windows);

// Calls visit(offset_in, position) for every position whose element under `tap` is not padding:
// offsets into one channel of the input and of the output.
template <class Visit>
void ForEachPosition(const Windows& windows, int64_t tap, const Visit& visit) {
  const auto& [d, h, w] = windows.axes;
  const std::array<int64_t, 3> at = windows.Tap(tap);
  const auto inside = [](const WindowAxis& axis, int64_t in) { return in >= 0 && in < axis.in; };
  for (int64_t i = 0; i < d.out; ++i) {
    const int64_t in_d = d.Input(i, at[0]);
    if (!inside(d, in_d)) continue;
    for (int64_t j = 0; j < h.out; ++j) {
      const int64_t in_h = h.Input(j, at[1]);
      if (!inside(h, in_h)) continue;
      for (int64_t k = 0; k < w.out; ++k) {
        const int64_t in_w = w.Input(k, at[2]);
        if (!inside(w, in_w)) continue;
        visit((in_d * h.in + in_h) * w.in + in_w, (i * h.out + j) * w.out + k);
      }
    }
  }
}

}  // namespace millwright::mil
