#include <fmt/format.h>

#include "device/cpu/steps.h"
#include "device/cpu/view_walk.h"
#include "math/ane_gemm.h"

namespace millwright::device::cpu {
namespace {

class AneGemmStep final : public Step {
 public:
  AneGemmStep(AneProduct product, Numerics numerics) : p_(std::move(product)), numerics_(numerics) {
    const Shape shape = p_.to.shape();
    const size_t rank = shape.size();
    m_ = shape[rank - 2];
    n_ = shape[rank - 1];
    k_ = AxisSize(p_.a.axes[rank - 1]);
    batches_ = NumElements(shape) / (m_ * n_);
  }

  Status Run(const RunContext& context) const override {
    const float* a = Dense(context, p_.a, p_.dense_a);
    const float* b = Dense(context, p_.b, p_.dense_b);
    float* base = At(context, p_.to.buffer);
    float* dense = p_.dense_to < 0 ? base + p_.to.offset : At(context, p_.dense_to);
    for (int64_t i = 0; i < batches_; ++i) {
      math::AneGemm(numerics_, m_, n_, k_, a + i * m_ * k_, b + i * k_ * n_, dense + i * m_ * n_);
    }
    if (p_.dense_to < 0) return {};
    const float* from = dense;
    ForEachOffset(p_.to, [&](int64_t offset) { base[offset] = *from++; });
    return {};
  }

  std::string Describe() const override {
    return fmt::format("ane gemm {} x [{}, {}] [{}, {}]", batches_, m_, k_, k_, n_);
  }

  std::vector<int> Buffers() const override {
    std::vector<int> buffers = {p_.a.buffer, p_.b.buffer, p_.to.buffer};
    for (int scratch : {p_.dense_a, p_.dense_b, p_.dense_to}) {
      if (scratch >= 0) buffers.push_back(scratch);
    }
    return buffers;
  }

 private:
  static float* At(const RunContext& context, int buffer) {
    return context.buffers[static_cast<size_t>(buffer)];
  }

  // The view's elements in row-major order: where they lie, or copied to `scratch`.
  static const float* Dense(const RunContext& context, const View& view, int scratch) {
    const float* base = At(context, view.buffer);
    if (scratch < 0) return base + view.offset;
    float* to = At(context, scratch);
    ForEachOffset(view, [&](int64_t offset) { *to++ = base[offset]; });
    return At(context, scratch);
  }

  AneProduct p_;
  Numerics numerics_;
  int64_t m_ = 0, n_ = 0, k_ = 0, batches_ = 0;
};

}  // namespace

std::unique_ptr<Step> MakeAneGemmStep(AneProduct product, Numerics numerics) {
  return std::make_unique<AneGemmStep>(std::move(product), numerics);
}

}  // namespace millwright::device::cpu
