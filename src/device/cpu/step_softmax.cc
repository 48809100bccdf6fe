#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "base/threads.h"
#include "device/cpu/steps.h"

namespace millwright::device::cpu {
namespace {

constexpr int64_t kColumns = 64;  // columns done together where the softmax runs across rows

struct Extents {
  int64_t kept_rows = 1, reduced_rows = 1;
  int64_t count = 1;    // elements of one softmax
  int64_t columns = 1;  // softmaxes done together
  int64_t chunks = 1;
};

Extents ExtentsOf(const LoopNest& nest) {
  Extents e;
  for (const LoopDim& loop : nest.outer) (loop.reduced ? e.reduced_rows : e.kept_rows) *= loop.size;
  if (nest.inner.reduced) {
    e.count = e.reduced_rows * nest.inner.size;
  } else {
    e.count = e.reduced_rows;
    e.columns = std::min(kColumns, nest.inner.size);
    e.chunks = (nest.inner.size + kColumns - 1) / kColumns;
  }
  return e;
}

int64_t SlotSize(const LoopNest& nest) {
  const Extents e = ExtentsOf(nest);
  return (e.count * e.columns + 2 * kColumns + 15) / 16 * 16;
}

class SoftmaxStep final : public Step {
 public:
  SoftmaxStep(VectorProgram program, LoopNest nest, int scratch, int slots)
      : program_(std::move(program)),
        nest_(std::move(nest)),
        extents_(ExtentsOf(nest_)),
        slot_size_(SlotSize(nest_)),
        scratch_(scratch),
        slots_(slots) {}

  Status Run(const RunContext& context) const override {
    const int64_t units = extents_.kept_rows * extents_.chunks;
    const int64_t slots = std::min<int64_t>(slots_, units);
    ParallelFor(slots, 1, [&](int64_t first, int64_t last) {
      for (int64_t slot = first; slot < last; ++slot) {
        float* rows = context.buffers[static_cast<size_t>(scratch_)] + slot * slot_size_;
        for (int64_t unit = slot * units / slots; unit < (slot + 1) * units / slots; ++unit) {
          nest_.inner.reduced ? AlongRow(context, unit, rows) : AcrossRows(context, unit, rows);
        }
      }
    });
    return {};
  }

  std::string Describe() const override {
    return fmt::format("softmax [{}] {} elements over {}, {}", Mnemonics(program_),
                       nest_.elements(), extents_.count,
                       nest_.inner.reduced ? "along rows" : "across rows");
  }

  std::vector<int> Buffers() const override {
    std::vector<int> buffers = nest_.buffers;
    buffers.push_back(scratch_);
    return buffers;
  }

 private:
  void Evaluate(const RunContext& context, const Strip& strip, float* to) const {
    alignas(64) std::array<float, kStripWidth * kMostRegisters> scratch;
    std::array<float*, kMostRegisters> regs;
    for (size_t r = 0; r < static_cast<size_t>(program_.registers); ++r) {
      regs[r] = scratch.data() + static_cast<int64_t>(r) * kStripWidth;
    }
    for (size_t r = 0; r < static_cast<size_t>(program_.inputs); ++r) {
      const float* base = context.buffers[static_cast<size_t>(nest_.buffers[r])];
      regs[r] = const_cast<float*>(LoadStrip(nest_, r, base, strip, regs[r]));
    }
    regs[static_cast<size_t>(program_.outputs[0])] = to;
    RunVectorProgram(program_, regs.data(), strip.elements());
  }

  template <class Fn>
  void ForEachStrip(int64_t unit, const Fn& fn) const {
    for (int64_t r = 0; r < extents_.reduced_rows; ++r) {
      for (int64_t begin = 0; begin < nest_.inner.size; begin += kStripWidth) {
        fn(r * nest_.inner.size + begin, Strip{unit * extents_.reduced_rows + r, 1, begin,
                                               std::min(kStripWidth, nest_.inner.size - begin)});
      }
    }
  }

  void AlongRow(const RunContext& context, int64_t unit, float* row) const {
    ForEachStrip(unit, [&](int64_t at, const Strip& s) { Evaluate(context, s, row + at); });
    const float sum = VectorExpSum(row, VectorMax(row, extents_.count), extents_.count);
    VectorScale(row, 1.0f / sum, extents_.count);
    float* result = Result(context);
    ForEachStrip(unit, [&](int64_t at, const Strip& s) {
      StoreStrip(nest_, nest_.buffers.size() - 1, result, s, row + at);
    });
  }

  void AcrossRows(const RunContext& context, int64_t unit, float* rows) const {
    const int64_t first = unit / extents_.chunks * extents_.reduced_rows;
    const int64_t begin = unit % extents_.chunks * kColumns;
    const int64_t size = std::min(kColumns, nest_.inner.size - begin);
    float* most = rows + extents_.count * extents_.columns;
    float* sum = most + kColumns;
    std::fill_n(most, size, -std::numeric_limits<float>::infinity());
    std::fill_n(sum, size, 0.0f);
    for (int64_t r = 0; r < extents_.count; ++r) {
      float* row = rows + r * extents_.columns;
      Evaluate(context, {first + r, 1, begin, size}, row);
      VectorMaxInto(most, row, size);
    }
    const VectorProgram shifted{
        2, 2, {{VectorOp::kSub, 0, {0}, {1}, {}}, {VectorOp::kExp, 0, {0}, {}, {}}}, {0}};
    for (int64_t r = 0; r < extents_.count; ++r) {
      float* row = rows + r * extents_.columns;
      float* const regs[] = {row, most};
      RunVectorProgram(shifted, regs, size);
      VectorSumInto(sum, row, size);
    }
    float* result = Result(context);
    for (int64_t r = 0; r < extents_.count; ++r) {
      float* row = rows + r * extents_.columns;
      for (int64_t i = 0; i < size; ++i) row[i] /= sum[i];
      StoreStrip(nest_, nest_.buffers.size() - 1, result, {first + r, 1, begin, size}, row);
    }
  }

  float* Result(const RunContext& context) const {
    return context.buffers[static_cast<size_t>(nest_.buffers.back())];
  }

  VectorProgram program_;
  LoopNest nest_;
  Extents extents_;
  int64_t slot_size_;
  int scratch_;
  int slots_;
};

}  // namespace

int64_t SoftmaxScratch(const LoopNest& nest, int slots) { return SlotSize(nest) * slots; }

std::unique_ptr<Step> MakeSoftmaxStep(VectorProgram program, LoopNest nest, int scratch,
                                      int slots) {
  return std::make_unique<SoftmaxStep>(std::move(program), std::move(nest), scratch, slots);
}

}  // namespace millwright::device::cpu
