#include <algorithm>
#include <array>
#include <limits>

#include <fmt/format.h>

#include "base/threads.h"
#include "device/cpu/steps.h"

namespace millwright::device::cpu {
namespace {

class ReduceStep final : public Step {
 public:
  ReduceStep(Reduction kind, VectorProgram program, LoopNest nest)
      : kind_(kind), program_(std::move(program)), nest_(std::move(nest)) {
    for (const LoopDim& loop : nest_.outer)
      (loop.reduced ? reduced_rows_ : kept_rows_) *= loop.size;
    chunks_ = nest_.inner.reduced ? 1 : (nest_.inner.size + kStripWidth - 1) / kStripWidth;
    count_ = reduced_rows_ * (nest_.inner.reduced ? nest_.inner.size : 1);
  }

  Status Run(const RunContext& context) const override {
    const int64_t units = kept_rows_ * chunks_;
    const int64_t grain =
        std::max<int64_t>(1, kThreadElements * units / std::max<int64_t>(1, nest_.elements()));
    ParallelFor(units, grain, [&](int64_t begin, int64_t end) {
      alignas(64) std::array<float, kStripWidth*(kMostRegisters + 1)> scratch;
      for (int64_t unit = begin; unit < end; ++unit) {
        if (nest_.inner.reduced) {
          ReduceRows(context, unit, scratch.data());
        } else {
          ReduceColumns(context, unit, scratch.data());
        }
      }
    });
    return {};
  }

  std::string Describe() const override {
    constexpr const char* kNames[] = {"sum", "mean", "max"};
    return fmt::format("reduce_{} [{}] {} elements over {}, {}", kNames[static_cast<int>(kind_)],
                       Mnemonics(program_), nest_.elements(), count_,
                       nest_.inner.reduced ? "along rows" : "across rows");
  }

  std::vector<int> Buffers() const override { return nest_.buffers; }

 private:
  bool is_max() const { return kind_ == Reduction::kMax; }
  float Start() const { return is_max() ? -std::numeric_limits<float>::infinity() : 0.0f; }
  float Finish(float x) const {
    return kind_ == Reduction::kMean ? x / static_cast<float>(count_) : x;
  }

  // The program's result on a strip.
  const float* Evaluate(const RunContext& context, const Strip& strip, float* scratch) const {
    std::array<float*, kMostRegisters> regs;
    for (size_t r = 0; r < static_cast<size_t>(program_.registers); ++r) {
      regs[r] = scratch + static_cast<int64_t>(r) * kStripWidth;
    }
    for (size_t r = 0; r < static_cast<size_t>(program_.inputs); ++r) {
      const float* base = context.buffers[static_cast<size_t>(nest_.buffers[r])];
      regs[r] = const_cast<float*>(LoadStrip(nest_, r, base, strip, regs[r]));
    }
    RunVectorProgram(program_, regs.data(), strip.elements());
    return regs[static_cast<size_t>(program_.outputs[0])];
  }

  float* Result(const RunContext& context) const {
    return context.buffers[static_cast<size_t>(nest_.buffers.back())];
  }

  void ReduceRows(const RunContext& context, int64_t unit, float* scratch) const {
    float total = Start();
    for (int64_t r = 0; r < reduced_rows_; ++r) {
      for (int64_t begin = 0; begin < nest_.inner.size; begin += kStripWidth) {
        const Strip strip{unit * reduced_rows_ + r, 1, begin,
                          std::min(kStripWidth, nest_.inner.size - begin)};
        const float* x = Evaluate(context, strip, scratch);
        const float part = is_max() ? VectorMax(x, strip.size) : VectorSum(x, strip.size);
        if (!is_max()) {
          total += part;
        } else if (part > total || part != part) {
          total = part;
        }
      }
    }
    const size_t result = nest_.buffers.size() - 1;
    Result(context)[nest_.RowOffset(unit * reduced_rows_, result)] = Finish(total);
  }

  void ReduceColumns(const RunContext& context, int64_t unit, float* scratch) const {
    const int64_t row = unit / chunks_ * reduced_rows_;
    const int64_t begin = unit % chunks_ * kStripWidth;
    const int64_t size = std::min(kStripWidth, nest_.inner.size - begin);
    float* total = scratch + kMostRegisters * kStripWidth;
    std::fill_n(total, size, Start());
    for (int64_t r = 0; r < reduced_rows_; ++r) {
      const float* x = Evaluate(context, {row + r, 1, begin, size}, scratch);
      is_max() ? VectorMaxInto(total, x, size) : VectorSumInto(total, x, size);
    }
    for (int64_t i = 0; i < size; ++i) total[i] = Finish(total[i]);
    StoreStrip(nest_, nest_.buffers.size() - 1, Result(context), {row, 1, begin, size}, total);
  }

  Reduction kind_;
  VectorProgram program_;
  LoopNest nest_;
  int64_t kept_rows_ = 1, reduced_rows_ = 1, chunks_ = 1;
  int64_t count_ = 1;  // elements that go into one result
};

}  // namespace

std::unique_ptr<Step> MakeReduceStep(Reduction kind, VectorProgram program, LoopNest nest) {
  return std::make_unique<ReduceStep>(kind, std::move(program), std::move(nest));
}

}  // namespace millwright::device::cpu
