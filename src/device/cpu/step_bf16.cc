#include <fmt/format.h>

#include "device/cpu/steps.h"
#include "math/convert.h"

namespace millwright::device::cpu {
namespace {

Bf16* Bf16In(const RunContext& context, int buffer) {
  return reinterpret_cast<Bf16*>(context.buffers[static_cast<size_t>(buffer)]);
}

class ToBf16Step final : public Step {
 public:
  ToBf16Step(MatrixOperand from, int64_t depth, int64_t columns, int to)
      : from_(from), depth_(depth), columns_(columns), to_(to) {}

  Status Run(const RunContext& context) const override {
    math::ConvertBlock(depth_, columns_, DType::kFp32,
                       context.buffers[static_cast<size_t>(from_.buffer)] + from_.offset,
                       from_.stride, DType::kBf16, Bf16In(context, to_), columns_);
    return {};
  }
  std::string Describe() const override {
    return fmt::format("round {}x{} to bf16", depth_, columns_);
  }
  std::vector<int> Buffers() const override { return {from_.buffer, to_}; }

 private:
  MatrixOperand from_;
  int64_t depth_, columns_;
  int to_;
};

class Bf16GemmStep final : public Step {
 public:
  // Describing a shape also prepares it, so that no run has to.
  Bf16GemmStep(const RoundedProduct& product, math::GemmEngine& engine)
      : p_(product),
        shape_(math::DenseGemm(p_.rows, p_.columns, p_.depth, p_.a.transposed, false)) {
    shape_.ldc = p_.c.stride;
    shape_.accumulate = p_.accumulate;
    implementation_ = engine.DescribeBf16(shape_);
  }

  Status Run(const RunContext& context) const override {
    const std::byte* weights =
        context.copies[static_cast<size_t>(p_.copy)].Get([&](std::byte* stale) {
          Round(context.buffers[static_cast<size_t>(p_.a.buffer)] + p_.a.offset, stale);
        });
    context.gemm.Run(shape_, reinterpret_cast<const Bf16*>(weights),
                     Bf16In(context, p_.activations),
                     context.buffers[static_cast<size_t>(p_.c.buffer)] + p_.c.offset);
    return {};
  }
  std::string Describe() const override {
    return fmt::format("gemm {} m={} n={} k={} {}N{}", implementation_, p_.rows, p_.columns,
                       p_.depth, p_.a.transposed ? "T" : "N", p_.accumulate ? " accumulate" : "");
  }
  std::vector<int> Buffers() const override { return {p_.a.buffer, p_.activations, p_.c.buffer}; }

 private:
  void Round(const float* weights, std::byte* to) const {
    const int64_t rows = p_.a.transposed ? p_.depth : p_.rows;
    const int64_t columns = p_.a.transposed ? p_.rows : p_.depth;
    math::ConvertBlock(rows, columns, DType::kFp32, weights, p_.a.stride, DType::kBf16, to,
                       columns);
  }

  RoundedProduct p_;
  math::GemmShape shape_;
  std::string implementation_;
};

}  // namespace

std::unique_ptr<Step> MakeToBf16Step(MatrixOperand from, int64_t depth, int64_t columns, int to) {
  return std::make_unique<ToBf16Step>(from, depth, columns, to);
}

std::unique_ptr<Step> MakeBf16GemmStep(const RoundedProduct& product, math::GemmEngine& engine) {
  return std::make_unique<Bf16GemmStep>(product, engine);
}

}  // namespace millwright::device::cpu
