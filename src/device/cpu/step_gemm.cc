#include <algorithm>

#include <fmt/format.h>

#include "base/shape.h"
#include "base/threads.h"
#include "device/cpu/steps.h"
#include "math/gemv.h"

namespace millwright::device::cpu {
namespace {

// Below this many weights of matrices another thread costs more than it saves.
constexpr int64_t kThreadWeights = 16384;

class GemmStep final : public Step {
 public:
  GemmStep(math::GemmShape shape, std::vector<int64_t> batch, GemmOperand a, GemmOperand b,
           GemmOperand c, std::string implementation)
      : shape_(shape),
        batch_(std::move(batch)),
        a_(std::move(a)),
        b_(std::move(b)),
        c_(std::move(c)),
        implementation_(std::move(implementation)),
        gemv_(math::AsGemv(shape_)) {}

  Status Run(const RunContext& context) const override {
    const int64_t count = NumElements(batch_);
    if (gemv_.possible && count > 1) return RunVectors(context, count);
    for (int64_t i = 0; i < count; ++i) {
      context.gemm.Run(shape_, At(context, a_, i), At(context, b_, i), At(context, c_, i));
    }
    return {};
  }

  std::string Describe() const override {
    return fmt::format("gemm {} m={} n={} k={} {}{}{} x{}", implementation_, shape_.m, shape_.n,
                       shape_.k, shape_.transpose_a ? "T" : "N", shape_.transpose_b ? "T" : "N",
                       shape_.accumulate ? " accumulate" : "", NumElements(batch_));
  }

  std::vector<int> Buffers() const override { return {a_.buffer, b_.buffer, c_.buffer}; }

 private:
  // Many small products with vectors (one a head) are shared out whole.
  Status RunVectors(const RunContext& context, int64_t count) const {
    const int64_t weights = gemv_.shape.rows * gemv_.shape.columns;
    const int64_t grain = std::max<int64_t>(1, kThreadWeights / std::max<int64_t>(1, weights));
    ParallelFor(count, grain, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const float *a = At(context, a_, i), *b = At(context, b_, i);
        math::GemvSerial(gemv_.shape, gemv_.matrix_is_a ? a : b, gemv_.matrix_is_a ? b : a,
                         At(context, c_, i));
      }
    });
    return {};
  }

  float* At(const RunContext& context, const GemmOperand& operand, int64_t index) const {
    int64_t offset = operand.offset;
    for (size_t i = batch_.size(); i-- > 0;) {
      offset += index % batch_[i] * operand.batch_strides[i];
      index /= batch_[i];
    }
    return context.buffers[static_cast<size_t>(operand.buffer)] + offset;
  }

  math::GemmShape shape_;
  std::vector<int64_t> batch_;
  GemmOperand a_, b_, c_;
  std::string implementation_;
  math::GemvForm gemv_;
};

}  // namespace

std::unique_ptr<Step> MakeGemmStep(math::GemmShape shape, std::vector<int64_t> batch, GemmOperand a,
                                   GemmOperand b, GemmOperand c, math::GemmEngine& engine) {
  // Describing a shape also prepares the library's primitive, so that no run has to.
  std::string implementation = engine.Describe(shape);
  return std::make_unique<GemmStep>(shape, std::move(batch), std::move(a), std::move(b),
                                    std::move(c), std::move(implementation));
}

}  // namespace millwright::device::cpu
