#include "device/cpu/loop_nest.h"

#include <algorithm>
#include <cstring>

namespace millwright::device::cpu {
namespace {

// Rows shorter than this are walked several at a time.
constexpr int64_t kShortRow = 64;

// What is left of one view's axis while it is taken apart from the inside.
struct Rest {
  const Axis* axis;
  size_t next;  // dimensions still to come, counted from the outermost
  Dim dim;      // the current one, partly used
};

Rest StartRest(const Axis& axis) {
  if (axis.empty()) return {&axis, 0, {1, 0}};
  return {&axis, axis.size() - 1, axis.back()};
}

// Appends the loops of one logical axis, innermost first. False if the factors do not fit.
bool RefineAxis(std::span<const View> views, size_t axis, bool reduced,
                std::vector<LoopDim>& loops) {
  std::vector<Rest> rests;
  for (const View& view : views) rests.push_back(StartRest(view.axes[axis]));
  for (int64_t left = AxisSize(views[0].axes[axis]); left > 1;) {
    int64_t size = left;
    for (Rest& rest : rests) {
      if (rest.dim.size == 1 && rest.next > 0) rest.dim = (*rest.axis)[--rest.next];
      size = std::min(size, rest.dim.size);
    }
    LoopDim loop{size, {}, reduced};
    for (Rest& rest : rests) {
      if (rest.dim.size % size != 0) return false;
      loop.strides.push_back(rest.dim.stride);
      rest.dim = {rest.dim.size / size, rest.dim.stride * size};
    }
    if (size <= 1) return false;  // shapes differ: a caller's mistake
    loops.push_back(std::move(loop));
    left /= size;
  }
  return true;
}

bool Advance(const LoopDim& outer, const LoopDim& inner) {
  if (outer.reduced != inner.reduced) return false;
  for (size_t i = 0; i < inner.strides.size(); ++i) {
    if (outer.strides[i] != inner.size * inner.strides[i]) return false;
  }
  return true;
}

std::vector<LoopDim> Merged(std::vector<LoopDim> loops) {
  std::vector<LoopDim> merged;
  for (LoopDim& loop : loops) {
    if (!merged.empty() && Advance(merged.back(), loop)) {
      loop.size *= merged.back().size;
      merged.back() = std::move(loop);
    } else {
      merged.push_back(std::move(loop));
    }
  }
  return merged;
}

}  // namespace

int64_t LoopNest::rows() const {
  int64_t rows = 1;
  for (const LoopDim& loop : outer) rows *= loop.size;
  return rows;
}

int64_t LoopNest::RowOffset(int64_t row, size_t operand) const {
  int64_t offset = offsets[operand];
  for (size_t i = outer.size(); i-- > 0 && row > 0;) {
    offset += row % outer[i].size * outer[i].strides[operand];
    row /= outer[i].size;
  }
  return offset;
}

std::optional<LoopNest> MakeLoopNest(std::span<const View> views, size_t order_by,
                                     const std::vector<bool>& reduced) {
  std::vector<LoopDim> loops;
  for (size_t axis = views[0].axes.size(); axis-- > 0;) {
    if (!RefineAxis(views, axis, !reduced.empty() && reduced[axis], loops)) return std::nullopt;
  }
  std::reverse(loops.begin(), loops.end());
  std::stable_sort(loops.begin(), loops.end(), [&](const LoopDim& a, const LoopDim& b) {
    return a.strides[order_by] > b.strides[order_by];
  });
  loops = Merged(std::move(loops));
  LoopNest nest;
  for (const View& view : views) {
    nest.offsets.push_back(view.offset);
    nest.buffers.push_back(view.buffer);
  }
  nest.inner.strides.assign(views.size(), 0);
  if (!loops.empty()) {
    nest.inner = std::move(loops.back());
    loops.pop_back();
  }
  std::stable_partition(loops.begin(), loops.end(), [](const LoopDim& l) { return !l.reduced; });
  nest.outer = Merged(std::move(loops));
  return nest;
}

bool Compatible(const View& a, const View& b) {
  const View views[] = {a, b};
  std::vector<LoopDim> loops;
  for (size_t axis = 0; axis < a.axes.size(); ++axis) {
    if (!RefineAxis(views, axis, false, loops)) return false;
  }
  return true;
}

StripPlan::StripPlan(const LoopNest& nest, int64_t most)
    : rows_(nest.rows()), inner_(nest.inner.size), chunk_(inner_), chunks_(1), rows_per_strip_(1) {
  if (inner_ < kShortRow) {
    rows_per_strip_ = std::max<int64_t>(1, std::min(rows_, most / std::max<int64_t>(1, inner_)));
  } else if (inner_ > most) {
    chunks_ = (inner_ + most - 1) / most;
    chunk_ = ((inner_ + chunks_ - 1) / chunks_ + 15) / 16 * 16;
    chunks_ = (inner_ + chunk_ - 1) / chunk_;
  }
  count_ = (rows_ + rows_per_strip_ - 1) / rows_per_strip_ * chunks_;
}

Strip StripPlan::At(int64_t index) const {
  Strip strip;
  strip.row = index / chunks_ * rows_per_strip_;
  strip.rows = std::min(rows_per_strip_, rows_ - strip.row);
  strip.begin = index % chunks_ * chunk_;
  strip.size = std::min(chunk_, inner_ - strip.begin);
  return strip;
}

const float* LoadStrip(const LoopNest& nest, size_t operand, const float* base, const Strip& strip,
                       float* scratch) {
  const int64_t stride = nest.inner.strides[operand];
  if (strip.rows == 1 && stride == 1) {
    return base + nest.RowOffset(strip.row, operand) + strip.begin;
  }
  float* to = scratch;
  for (int64_t row = strip.row; row < strip.row + strip.rows; ++row, to += strip.size) {
    const float* from = base + nest.RowOffset(row, operand) + strip.begin * stride;
    if (stride == 0) {
      std::fill_n(to, strip.size, *from);
    } else {
      for (int64_t i = 0; i < strip.size; ++i) to[i] = from[i * stride];
    }
  }
  return scratch;
}

float* ContiguousStrip(const LoopNest& nest, size_t operand, float* base, const Strip& strip) {
  if (strip.rows > 1 || nest.inner.strides[operand] != 1) return nullptr;
  return base + nest.RowOffset(strip.row, operand) + strip.begin;
}

void StoreStrip(const LoopNest& nest, size_t operand, float* base, const Strip& strip,
                const float* values) {
  const int64_t stride = nest.inner.strides[operand];
  for (int64_t row = strip.row; row < strip.row + strip.rows; ++row, values += strip.size) {
    float* to = base + nest.RowOffset(row, operand) + strip.begin * stride;
    for (int64_t i = 0; i < strip.size; ++i) to[i * stride] = values[i];
  }
}

}  // namespace millwright::device::cpu
