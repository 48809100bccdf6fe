#include <fmt/format.h>

#include "device/cpu/steps.h"
#include "math/int8.h"

namespace millwright::device::cpu {
namespace {

math::Int8Activations Activations(const RunContext& context, int buffer, int64_t depth,
                                  int64_t columns) {
  float* memory = context.buffers[static_cast<size_t>(buffer)];
  return math::Int8ActivationsIn(depth, columns, reinterpret_cast<std::byte*>(memory));
}

class QuantizeStep final : public Step {
 public:
  QuantizeStep(MatrixOperand from, int64_t depth, int64_t columns, int to)
      : from_(from), depth_(depth), columns_(columns), to_(to) {}

  Status Run(const RunContext& context) const override {
    math::QuantizeActivations(context.buffers[static_cast<size_t>(from_.buffer)] + from_.offset,
                              from_.stride, Activations(context, to_, depth_, columns_));
    return {};
  }
  std::string Describe() const override {
    return fmt::format("quantize {}x{} to int8 by columns", depth_, columns_);
  }
  std::vector<int> Buffers() const override { return {from_.buffer, to_}; }

 private:
  MatrixOperand from_;
  int64_t depth_, columns_;
  int to_;
};

class Int8GemmStep final : public Step {
 public:
  explicit Int8GemmStep(const RoundedProduct& product) : p_(product) {}

  Status Run(const RunContext& context) const override {
    const auto at = [&](const MatrixOperand& operand) {
      return context.buffers[static_cast<size_t>(operand.buffer)] + operand.offset;
    };
    HeldCopy& copy = context.copies[static_cast<size_t>(p_.copy)];
    const auto weights = math::Int8WeightsIn(p_.rows, p_.depth, copy.memory());
    const auto x = Activations(context, p_.activations, p_.depth, p_.columns);
    const math::Int8Result y = {at(p_.c), p_.c.stride, p_.accumulate};
    if (!copy.IsStale()) {
      math::Int8Gemm(weights, x, y);
      return {};
    }
    math::Int8GemmOfFresh(at(p_.a), p_.a.stride, p_.a.transposed, weights, x, y);
    copy.MarkFilled();
    return {};
  }
  std::string Describe() const override {
    return fmt::format("gemm {} m={} n={} k={} {}N{}", math::Int8GemmName(), p_.rows, p_.columns,
                       p_.depth, p_.a.transposed ? "T" : "N", p_.accumulate ? " accumulate" : "");
  }
  std::vector<int> Buffers() const override { return {p_.a.buffer, p_.activations, p_.c.buffer}; }

 private:
  RoundedProduct p_;
};

}  // namespace

std::unique_ptr<Step> MakeQuantizeStep(MatrixOperand from, int64_t depth, int64_t columns, int to) {
  return std::make_unique<QuantizeStep>(from, depth, columns, to);
}

std::unique_ptr<Step> MakeInt8GemmStep(const RoundedProduct& product) {
  return std::make_unique<Int8GemmStep>(product);
}

}  // namespace millwright::device::cpu
