#include <fmt/format.h>

#include "device/cpu/steps.h"
#include "math/narrow.h"

namespace millwright::device::cpu {
namespace {

class NarrowGemvStep final : public Step {
 public:
  explicit NarrowGemvStep(const NarrowProduct& product) : p_(product) {}

  Status Run(const RunContext& context) const override {
    math::NarrowMatrix matrix{p_.dtype, p_.rows, p_.columns, nullptr};
    matrix.memory = context.copies[static_cast<size_t>(p_.copy)].Get([&](std::byte* stale) {
      math::Narrow(At(context, p_.a), p_.a.stride, {p_.dtype, p_.rows, p_.columns, stale});
    });
    math::NarrowGemv(matrix, At(context, p_.x), At(context, p_.y));
    return {};
  }
  std::string Describe() const override {
    return fmt::format("gemv {} m={} k={}", DTypeName(p_.dtype), p_.rows, p_.columns);
  }
  std::vector<int> Buffers() const override { return {p_.a.buffer, p_.x.buffer, p_.y.buffer}; }

 private:
  static float* At(const RunContext& context, const MatrixOperand& operand) {
    return context.buffers[static_cast<size_t>(operand.buffer)] + operand.offset;
  }

  NarrowProduct p_;
};

}  // namespace

std::unique_ptr<Step> MakeNarrowGemvStep(const NarrowProduct& product) {
  return std::make_unique<NarrowGemvStep>(product);
}

}  // namespace millwright::device::cpu
