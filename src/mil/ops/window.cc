#include "mil/ops/window.h"

#include <algorithm>

namespace millwright::mil {
namespace {

bool IsSame(std::string_view pad_type) { return pad_type == "same" || pad_type == "same_lower"; }

// One positive entry a spatial axis; all 1 where absent.
Result<std::vector<int64_t>> ReadSteps(const Call& call, std::string_view key, size_t rank) {
  std::vector<int64_t> steps = call.Ints(key, std::vector<int64_t>(rank, 1));
  if (steps.size() != rank || std::ranges::any_of(steps, [](int64_t step) { return step < 1; })) {
    return call.Bad("'{}' must have {} positive entries, found {}", key, rank,
                    ShapeToString(steps));
  }
  return steps;
}

Result<std::vector<int64_t>> ReadPad(const Call& call, size_t rank) {
  const std::string pad_type = call.Text("pad_type", "valid");
  if (pad_type != "valid" && !IsSame(pad_type) && pad_type != "custom") {
    return call.Bad("'pad_type' must be valid, same, same_lower or custom, found \"{}\"", pad_type);
  }
  const std::vector<int64_t> none(2 * rank, 0);
  if (pad_type != "custom") return none;
  std::vector<int64_t> pad = call.Ints("pad", none);
  if (pad.size() != 2 * rank || std::ranges::any_of(pad, [](int64_t p) { return p < 0; })) {
    return call.Bad(
        "'pad' must have {} entries (before and after each axis), none negative; found {}",
        2 * rank, ShapeToString(pad));
  }
  return pad;
}

// Sets pad, after and out of an axis; out is 0 where the window does not fit.
void PlaceAxis(std::string_view pad_type, bool ceil_mode, WindowAxis* axis) {
  const int64_t reach = (axis->kernel - 1) * axis->dilation + 1;
  if (IsSame(pad_type)) {
    axis->out = (axis->in + axis->stride - 1) / axis->stride;
    const int64_t total = std::max<int64_t>(0, (axis->out - 1) * axis->stride + reach - axis->in);
    axis->pad = pad_type == "same" ? total / 2 : total - total / 2;
    axis->after = total - axis->pad;
    return;
  }
  const int64_t padded = axis->in + axis->pad + axis->after;
  if (padded < reach) {
    axis->out = 0;
    return;
  }
  const int64_t extra = ceil_mode ? axis->stride - 1 : 0;
  axis->out = (padded - reach + extra) / axis->stride + 1;
  // A window must not begin in the padding behind the input.
  const bool beyond = (axis->out - 1) * axis->stride >= axis->in + axis->pad;
  if (ceil_mode && beyond && axis->pad + axis->after > 0) --axis->out;
}

}  // namespace

Result<Windows> ReadWindows(const Call& call, const Shape& in, const Shape& kernel) {
  Windows windows{.rank = in.size()};
  const Result<std::vector<int64_t>> pad = ReadPad(call, windows.rank);
  if (!pad) return pad.error();
  const Result<std::vector<int64_t>> strides = ReadSteps(call, "strides", windows.rank);
  if (!strides) return strides.error();
  const Result<std::vector<int64_t>> dilations = ReadSteps(call, "dilations", windows.rank);
  if (!dilations) return dilations.error();
  for (size_t i = 0; i < windows.rank; ++i) {
    windows.axes[3 - windows.rank + i] = {.in = in[i],
                                          .kernel = kernel[i],
                                          .stride = (*strides)[i],
                                          .dilation = (*dilations)[i],
                                          .pad = (*pad)[2 * i],
                                          .after = (*pad)[2 * i + 1]};
    if (kernel[i] > kMaxElements / (*dilations)[i] || in[i] > kMaxElements / (*strides)[i]) {
      return call.Bad("axis {}: a window of {} elements, dilated by {}, is too large", i, kernel[i],
                      (*dilations)[i]);
    }
  }
  return windows;
}

Status PlaceWindows(const Call& call, bool ceil_mode, Windows* windows) {
  const std::string pad_type = call.Text("pad_type", "valid");
  for (size_t i = 3 - windows->rank; i < 3; ++i) {
    WindowAxis& axis = windows->axes[i];
    PlaceAxis(pad_type, ceil_mode, &axis);
    if (axis.out < 1) {
      return call.Bad("the kernel of {} elements does not fit into {} elements on spatial axis {}",
                      (axis.kernel - 1) * axis.dilation + 1, axis.in + axis.pad + axis.after,
                      i + windows->rank - 3);
    }
  }
  return {};
}

}  // namespace millwright::mil
