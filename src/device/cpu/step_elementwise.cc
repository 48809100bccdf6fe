#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/threads.h"
#include "device/cpu/steps.h"

namespace millwright::device::cpu {
namespace {

// Floats that one thread's strips may take together: half of a first-level cache.
constexpr int64_t kStripFloats = 12288;

class ElementwiseStep final : public Step {
 public:
  ElementwiseStep(std::string label, VectorProgram program, LoopNest nest)
      : label_(std::move(label)),
        program_(std::move(program)),
        nest_(std::move(nest)),
        width_(std::min<int64_t>(1024, kStripFloats / program_.registers / 16 * 16)),
        strips_(nest_, width_) {
    const int64_t per_strip = std::max<int64_t>(1, nest_.elements() / strips_.count());
    grain_ = std::max<int64_t>(1, kThreadElements / per_strip);
  }

  Status Run(const RunContext& context) const override {
    ParallelFor(strips_.count(), grain_, [&](int64_t begin, int64_t end) {
      alignas(64) std::array<float, kStripFloats> scratch;
      for (int64_t i = begin; i < end; ++i) RunStrip(context, strips_.At(i), scratch.data());
    });
    return {};
  }

  std::string Describe() const override {
    return fmt::format("{} [{}] {} elements, rows of {}", label_, Mnemonics(program_),
                       nest_.elements(), nest_.inner.size);
  }

  std::vector<int> Buffers() const override { return nest_.buffers; }

 private:
  void RunStrip(const RunContext& context, const Strip& strip, float* scratch) const {
    std::array<float*, kMostRegisters> regs;
    const auto base = [&](size_t operand) {
      return context.buffers[static_cast<size_t>(nest_.buffers[operand])];
    };
    const size_t inputs = static_cast<size_t>(program_.inputs);
    for (size_t r = 0; r < static_cast<size_t>(program_.registers); ++r) {
      regs[r] = scratch + static_cast<int64_t>(r) * width_;
    }
    for (size_t r = 0; r < inputs; ++r) {
      regs[r] = const_cast<float*>(LoadStrip(nest_, r, base(r), strip, regs[r]));
    }
    std::array<bool, kMostRegisters> direct{};
    for (size_t k = 0; k < program_.outputs.size(); ++k) {
      if (float* to = ContiguousStrip(nest_, inputs + k, base(inputs + k), strip)) {
        regs[static_cast<size_t>(program_.outputs[k])] = to;
        direct[k] = true;
      }
    }
    RunVectorProgram(program_, regs.data(), strip.elements());
    for (size_t k = 0; k < program_.outputs.size(); ++k) {
      if (direct[k]) continue;
      StoreStrip(nest_, inputs + k, base(inputs + k), strip,
                 regs[static_cast<size_t>(program_.outputs[k])]);
    }
  }

  std::string label_;
  VectorProgram program_;
  LoopNest nest_;
  int64_t width_;
  StripPlan strips_;
  int64_t grain_;
};

}  // namespace

std::unique_ptr<Step> MakeElementwiseStep(std::string label, VectorProgram program, LoopNest nest) {
  return std::make_unique<ElementwiseStep>(std::move(label), std::move(program), std::move(nest));
}

}  // namespace millwright::device::cpu
