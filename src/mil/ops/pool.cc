#include "mil/ops/pool.h"

#include <algorithm>

#include "mil/ops/walk.h"

namespace millwright::mil {
namespace {

Result<Windows> ReadPool(const Call& call) {
  const Shape& x = call.type("x").shape;
  const std::vector<int64_t> kernel = call.Ints("kernel_sizes");
  if (kernel.size() != x.size() - 2 ||
      std::ranges::any_of(kernel, [](int64_t size) { return size < 1; })) {
    return call.Bad("'kernel_sizes' must have {} positive entries, found {}", x.size() - 2,
                    ShapeToString(kernel));
  }
  Result<Windows> windows = ReadWindows(call, {x.begin() + 2, x.end()}, kernel);
  if (!windows) return windows.error();
  const bool ceil_mode = call.Bool("ceil_mode", false);
  if (Status status = PlaceWindows(call, ceil_mode, &*windows); !status) return status.error();
  return windows;
}

// The places of window `position` that lie in the input or its padding, along one axis.
int64_t PlacesOnAxis(const WindowAxis& axis, int64_t position) {
  const int64_t first = position * axis.stride;
  return std::min(axis.kernel, axis.in + axis.pad + axis.after - first);
}

int64_t Places(const Windows& windows, int64_t position) {
  const auto& [d, h, w] = windows.axes;
  return PlacesOnAxis(d, position / (h.out * w.out)) * PlacesOnAxis(h, position / w.out % h.out) *
         PlacesOnAxis(w, position % w.out);
}

Status CheckCeilMode(const Call& call, size_t rank) {
  if (!call.Bool("ceil_mode", false)) return {};
  if (rank > 2 || call.Text("pad_type", "valid").starts_with("same")) {
    return call.Bad("'ceil_mode' needs one or two spatial axes and pad_type valid or custom");
  }
  const std::vector<int64_t> pad = call.Ints("pad");
  for (size_t i = 0; i + 1 < pad.size(); i += 2) {
    if (pad[i] != pad[i + 1]) {
      return call.Bad("'ceil_mode' needs as much padding before as after, found {}",
                      ShapeToString(pad));
    }
  }
  return {};
}

}  // namespace

std::vector<Param> PoolParams(bool average) {
  std::vector<Param> params = {
      {.name = "x"},
      {.name = "kernel_sizes", .constant = true, .kind = ParamKind::kInts},
      {.name = "strides", .required = false, .constant = true, .kind = ParamKind::kInts},
      {.name = "pad_type", .constant = true, .kind = ParamKind::kText},
      {.name = "pad", .required = false, .constant = true, .kind = ParamKind::kInts},
      {.name = "ceil_mode", .required = false, .constant = true, .kind = ParamKind::kBool}};
  if (average) {
    params.insert(params.end() - 1, {.name = "exclude_padding_from_average",
                                     .required = false,
                                     .constant = true,
                                     .kind = ParamKind::kBool});
  }
  return params;
}

Types InferPoolOf(const Call& call, size_t most_axes) {
  if (Status status = CheckFloat(call, "x"); !status) return status.error();
  const Type& x = call.type("x");
  if (x.shape.size() < 3 || x.shape.size() > 2 + most_axes) {
    return call.Bad("'x' must have rank 3 to {}, found {}", 2 + most_axes, ToString(x));
  }
  if (Status status = CheckCeilMode(call, x.shape.size() - 2); !status) return status.error();
  const Result<Windows> windows = ReadPool(call);
  if (!windows) return windows.error();
  Shape shape{x.shape[0], x.shape[1]};
  for (size_t i = 3 - windows->rank; i < 3; ++i) shape.push_back(windows->axes[i].out);
  return std::vector<Type>{{x.dtype, shape}};
}

Arrays EvaluatePoolWith(const Call& call, const Type& result, Pool pool) {
  const Result<Windows> windows = ReadPool(call);
  if (!windows) return windows.error();
  const bool exclude = call.Bool("exclude_padding_from_average", false);
  const int64_t out = windows->out();
  const double* x = call.array("x").data.data();
  Array array = NewArray(result);
  std::vector<PoolWindow> channel(static_cast<size_t>(out));
  for (int64_t i = 0; i < out; ++i) {
    channel[static_cast<size_t>(i)].places = Places(*windows, i);
  }
  for (int64_t i = 0; i < result.shape[0] * result.shape[1]; ++i) {
    for (PoolWindow& window : channel) window.elements.clear();
    for (int64_t tap = 0; tap < windows->taps(); ++tap) {
      ForEachPosition(*windows, tap, [&](int64_t from, int64_t to) {
        channel[static_cast<size_t>(to)].elements.push_back(x[from]);
      });
    }
    std::ranges::transform(channel, array.data.begin() + i * out,
                           [&](const PoolWindow& window) { return pool(window, exclude); });
    x += windows->in();
  }
  return std::vector<Array>{std::move(array)};
}

}  // namespace millwright::mil
