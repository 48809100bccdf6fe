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
  GemmStep(Product product, std::vector<int64_t> batch, std::string implementation)
      : product_(std::move(product)),
        batch_(std::move(batch)),
        implementation_(std::move(implementation)),
        gemv_(math::AsGemv(product_.shape)) {}

  Status Run(const RunContext& context) const override {
    const int64_t count = NumElements(batch_);
    if (gemv_.possible && count > 1) return RunVectors(context, count);
    const auto& [shape, a, b, c] = product_;
    for (int64_t i = 0; i < count; ++i) {
      context.gemm.Run(shape, At(context, a, i), At(context, b, i), At(context, c, i));
    }
    return {};
  }

  const Product* AsProduct() const override {
    return NumElements(batch_) == 1 && !gemv_.possible ? &product_ : nullptr;
  }

  std::string Describe() const override {
    const math::GemmShape& shape = product_.shape;
    return fmt::format("gemm {} m={} n={} k={} {}{}{} x{}", implementation_, shape.m, shape.n,
                       shape.k, shape.transpose_a ? "T" : "N", shape.transpose_b ? "T" : "N",
                       shape.accumulate ? " accumulate" : "", NumElements(batch_));
  }

  std::vector<int> Buffers() const override {
    return {product_.a.buffer, product_.b.buffer, product_.c.buffer};
  }

 private:
  // Many small products with vectors (one a head) are shared out whole.
  Status RunVectors(const RunContext& context, int64_t count) const {
    const int64_t weights = gemv_.shape.rows * gemv_.shape.columns;
    const int64_t grain = std::max<int64_t>(1, kThreadWeights / std::max<int64_t>(1, weights));
    ParallelFor(count, grain, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const float *a = At(context, product_.a, i), *b = At(context, product_.b, i);
        math::GemvSerial(gemv_.shape, gemv_.matrix_is_a ? a : b, gemv_.matrix_is_a ? b : a,
                         At(context, product_.c, i));
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

  Product product_;
  std::vector<int64_t> batch_;
  std::string implementation_;
  math::GemvForm gemv_;
};

}  // namespace

std::unique_ptr<Step> MakeGemmStep(math::GemmShape shape, std::vector<int64_t> batch, GemmOperand a,
                                   GemmOperand b, GemmOperand c, math::GemmEngine& engine) {
  // Describing a shape also prepares the library's primitive, so that no run has to.
  std::string implementation = engine.Describe(shape);
  return std::make_unique<GemmStep>(Product{shape, std::move(a), std::move(b), std::move(c)},
                                    std::move(batch), std::move(implementation));
}

}  // namespace millwright::device::cpu
