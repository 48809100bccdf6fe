#include "device/cpu/view.h"

#include <fmt/format.h>

#include <algorithm>

namespace millwright::device::cpu {
namespace {

// Appends `dim`, merging it with the last one where both advance as one.
void Push(Axis& axis, Dim dim) {
  if (dim.size == 1) return;
  if (!axis.empty() && axis.back().stride == dim.size * dim.stride) {
    axis.back() = {axis.back().size * dim.size, dim.stride};
    return;
  }
  axis.push_back(dim);
}

Axis Normalised(const Axis& axis) {
  Axis result;
  for (const Dim& dim : axis) Push(result, dim);
  return result;
}

// Elements [begin, begin + size * step) of `axis`; adds to `offset`.
std::optional<Axis> SliceAxis(const Axis& axis, int64_t begin, int64_t size, int64_t step,
                              int64_t& offset) {
  if (axis.empty() || size == 0) return Axis{};
  if (axis.size() == 1) {
    offset += begin * axis[0].stride;
    return size == 1 ? Axis{} : Axis{{size, axis[0].stride * step}};
  }
  const Axis inner(axis.begin() + 1, axis.end());
  const int64_t block = AxisSize(inner);
  const int64_t last = begin + (size - 1) * step;
  if (begin / block == last / block) {
    offset += begin / block * axis[0].stride;
    return SliceAxis(inner, begin % block, size, step, offset);
  }
  if (step != 1 || begin % block != 0 || size % block != 0) return std::nullopt;
  offset += begin / block * axis[0].stride;
  Axis result;
  Push(result, {size / block, axis[0].stride});
  for (const Dim& dim : inner) Push(result, dim);
  return result;
}

}  // namespace

int64_t AxisSize(const Axis& axis) {
  int64_t size = 1;
  for (const Dim& dim : axis) size *= dim.size;
  return size;
}

Shape View::shape() const {
  Shape shape;
  for (const Axis& axis : axes) shape.push_back(AxisSize(axis));
  return shape;
}

int64_t View::elements() const {
  int64_t count = 1;
  for (const Axis& axis : axes) count *= AxisSize(axis);
  return count;
}

View DenseView(int buffer, const Shape& shape) {
  View view{buffer, 0, {}};
  const std::vector<int64_t> strides = RowMajorStrides(shape);
  for (size_t i = 0; i < shape.size(); ++i) {
    view.axes.push_back(shape[i] == 1 ? Axis{} : Axis{{shape[i], strides[i]}});
  }
  return view;
}

View TransposeView(const View& view, std::span<const int64_t> perm) {
  View result{view.buffer, view.offset, {}};
  for (int64_t axis : perm) {
    const int64_t rank = static_cast<int64_t>(perm.size());
    result.axes.push_back(view.axes[static_cast<size_t>(axis < 0 ? axis + rank : axis)]);
  }
  return result;
}

std::optional<View> ReshapeView(const View& view, const Shape& shape) {
  Axis dims;
  for (const Axis& axis : view.axes) {
    for (const Dim& dim : axis) Push(dims, dim);
  }
  View result{view.buffer, view.offset, std::vector<Axis>(shape.size())};
  for (size_t i = shape.size(); i-- > 0;) {
    Axis taken;  // innermost first
    for (int64_t left = shape[i]; left > 1;) {
      if (dims.empty()) return std::nullopt;
      Dim& dim = dims.back();
      if (left % dim.size == 0) {
        left /= dim.size;
        taken.push_back(dim);
        dims.pop_back();
      } else if (dim.size % left == 0) {
        taken.push_back({left, dim.stride});
        dim = {dim.size / left, dim.stride * left};
        left = 1;
      } else {
        return std::nullopt;
      }
    }
    std::reverse(taken.begin(), taken.end());
    result.axes[i] = Normalised(taken);
  }
  return result;
}

std::optional<View> SliceView(const View& view, const Shape& begin, const Shape& size,
                              const Shape& step) {
  View result{view.buffer, view.offset, {}};
  for (size_t i = 0; i < view.axes.size(); ++i) {
    auto axis = SliceAxis(view.axes[i], begin[i], size[i], step[i], result.offset);
    if (!axis) return std::nullopt;
    result.axes.push_back(std::move(*axis));
  }
  return result;
}

View BroadcastView(const View& view, const Shape& shape) {
  View result{view.buffer, view.offset, std::vector<Axis>(shape.size())};
  const size_t missing = shape.size() - view.axes.size();
  for (size_t i = 0; i < shape.size(); ++i) {
    const bool stretched = i < missing || AxisSize(view.axes[i - missing]) != shape[i];
    if (!stretched) {
      result.axes[i] = view.axes[i - missing];
    } else if (shape[i] > 1) {
      result.axes[i] = {{shape[i], 0}};
    }
  }
  return result;
}

std::vector<int64_t> InversePermutation(std::span<const int64_t> perm) {
  const int64_t rank = static_cast<int64_t>(perm.size());
  std::vector<int64_t> inverse(perm.size());
  for (int64_t i = 0; i < rank; ++i) {
    const int64_t axis = perm[static_cast<size_t>(i)];
    inverse[static_cast<size_t>(axis < 0 ? axis + rank : axis)] = i;
  }
  return inverse;
}

View CompactLike(const View& view) {
  View result{-1, 0, view.axes};
  std::vector<Dim*> dims;
  for (Axis& axis : result.axes) {
    for (Dim& dim : axis) dims.push_back(&dim);
  }
  std::stable_sort(dims.begin(), dims.end(),
                   [](const Dim* a, const Dim* b) { return a->stride > b->stride; });
  int64_t stride = 1;
  for (size_t i = dims.size(); i-- > 0;) {
    dims[i]->stride = stride;
    stride *= dims[i]->size;
  }
  for (Axis& axis : result.axes) axis = Normalised(axis);
  return result;
}

std::optional<Dim> SingleDim(const Axis& axis) {
  if (axis.empty()) return Dim{1, 0};
  if (axis.size() == 1) return axis[0];
  return std::nullopt;
}

int64_t Extent(const View& view) {
  int64_t extent = 0;
  for (const Axis& axis : view.axes) {
    for (const Dim& dim : axis) extent += (dim.size - 1) * dim.stride;
  }
  return extent;
}

bool IsDense(const View& view) { return DenseView(view.buffer, view.shape()).axes == view.axes; }

std::string ToString(const View& view) {
  std::string text = fmt::format("b{}+{} [", view.buffer, view.offset);
  for (size_t i = 0; i < view.axes.size(); ++i) {
    if (i > 0) text += ",";
    const Axis& axis = view.axes[i];
    if (axis.empty()) text += "1";
    if (axis.size() > 1) text += "(";
    for (size_t j = 0; j < axis.size(); ++j) {
      text += fmt::format("{}{}:{}", j > 0 ? " " : "", axis[j].size, axis[j].stride);
    }
    if (axis.size() > 1) text += ")";
  }
  return text + "]";
}

}  // namespace millwright::device::cpu
