// The loops of a step that walks several views of one logical shape in step.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "device/cpu/view.h"

namespace millwright::device::cpu {

// One loop: how far every operand advances.
struct LoopDim {
  int64_t size = 1;
  std::vector<int64_t> strides;  // by operand
  bool reduced = false;
};

// Loops from the outermost to the innermost; a row is everything inside the innermost.
struct LoopNest {
  std::vector<LoopDim> outer;
  LoopDim inner;
  std::vector<int64_t> offsets;  // by operand
  std::vector<int> buffers;      // by operand

  int64_t rows() const;
  int64_t elements() const { return rows() * inner.size; }
  // Where row `row` of `operand` starts, from the start of its buffer.
  int64_t RowOffset(int64_t row, size_t operand) const;
};

// Loops over `views`, which all have the same shape, ordered so that `order_by` is walked with
// falling strides. Axes in `reduced` (one flag an axis, or empty) become loops of their own: outer
// loops over kept axes come first, then those over reduced ones, then the innermost loop of either
// kind. Nothing if the views split an axis in ways that have no common refinement.
std::optional<LoopNest> MakeLoopNest(std::span<const View> views, size_t order_by,
                                     const std::vector<bool>& reduced = {});

// True if the two views can be walked in one nest.
bool Compatible(const View& a, const View& b);

// A part of a nest: `rows` rows from `row`, of each the elements [begin, begin + size).
struct Strip {
  int64_t row = 0, rows = 1;
  int64_t begin = 0, size = 0;
  int64_t elements() const { return rows * size; }
};

// How a nest is cut into strips of at most `most` elements: parts of a row where rows are long,
// else several whole rows.
class StripPlan {
 public:
  StripPlan(const LoopNest& nest, int64_t most);
  int64_t count() const { return count_; }
  Strip At(int64_t index) const;

 private:
  int64_t rows_, inner_, chunk_, chunks_, rows_per_strip_, count_;
};

// The strip's elements of `operand` in a row: the memory itself where they are contiguous there,
// else gathered into `scratch`.
const float* LoadStrip(const LoopNest& nest, size_t operand, const float* base, const Strip& strip,
                       float* scratch);
// The reverse: the memory that a result may be written to at once, or null.
float* ContiguousStrip(const LoopNest& nest, size_t operand, float* base, const Strip& strip);
void StoreStrip(const LoopNest& nest, size_t operand, float* base, const Strip& strip,
                const float* values);

}  // namespace millwright::device::cpu
