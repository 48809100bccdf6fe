#include <fmt/format.h>

#include "device/cpu/steps.h"

namespace millwright::device::cpu {
namespace {

float* At(const RunContext& context, int buffer) {
  return context.buffers[static_cast<size_t>(buffer)];
}

template <class T>
math::Heads<T> HeadsAt(const RunContext& context, const HeadsOperand& operand) {
  return {At(context, operand.buffer) + operand.offset, operand.head_stride, operand.channel_stride,
          operand.batch_stride};
}

std::string DescribeShape(std::string_view name, const math::AttentionShape& s, bool masked) {
  return fmt::format("{} {}heads={} kv_heads={} head_dim={} seq={}{}{}", name,
                     s.batch > 1 ? fmt::format("batch={} ", s.batch) : "", s.heads, s.kv_heads,
                     s.head_dim, s.seq, s.causal ? " causal" : "", masked ? " masked" : "");
}

class AttentionStep final : public Step {
 public:
  AttentionStep(const math::AttentionShape& shape, const AttentionOperands& operands)
      : shape_(shape), o_(operands) {}

  Status Run(const RunContext& context) const override {
    math::AttentionShape shape = shape_;
    if (o_.mask >= 0) shape.mask = At(context, o_.mask);
    math::AttentionForward(shape, HeadsAt<const float>(context, o_.q),
                           HeadsAt<const float>(context, o_.k), HeadsAt<const float>(context, o_.v),
                           HeadsAt<float>(context, o_.out), At(context, o_.scratch));
    return {};
  }

  std::string Describe() const override { return DescribeShape("attention", shape_, o_.mask >= 0); }

  std::vector<int> Buffers() const override {
    std::vector<int> buffers = {o_.q.buffer, o_.k.buffer, o_.v.buffer, o_.out.buffer, o_.scratch};
    if (o_.mask >= 0) buffers.push_back(o_.mask);
    return buffers;
  }

 private:
  math::AttentionShape shape_;
  AttentionOperands o_;
};

class AttentionBackwardStep final : public Step {
 public:
  AttentionBackwardStep(const math::AttentionShape& shape,
                        const AttentionBackwardOperands& operands)
      : shape_(shape), o_(operands) {}

  Status Run(const RunContext& context) const override {
    math::AttentionShape shape = shape_;
    if (o_.mask >= 0) shape.mask = At(context, o_.mask);
    math::AttentionBackward(
        shape, HeadsAt<const float>(context, o_.q), HeadsAt<const float>(context, o_.k),
        HeadsAt<const float>(context, o_.v), HeadsAt<const float>(context, o_.dout),
        HeadsAt<float>(context, o_.dq), HeadsAt<float>(context, o_.dk),
        HeadsAt<float>(context, o_.dv), At(context, o_.scratch));
    return {};
  }

  std::string Describe() const override {
    return DescribeShape("attention_backward", shape_, o_.mask >= 0);
  }

  std::vector<int> Buffers() const override {
    std::vector<int> buffers = {o_.q.buffer,  o_.k.buffer,  o_.v.buffer,  o_.dout.buffer,
                                o_.dq.buffer, o_.dk.buffer, o_.dv.buffer, o_.scratch};
    if (o_.mask >= 0) buffers.push_back(o_.mask);
    return buffers;
  }

 private:
  math::AttentionShape shape_;
  AttentionBackwardOperands o_;
};

}  // namespace

std::unique_ptr<Step> MakeAttentionStep(math::AttentionShape shape, AttentionOperands operands) {
  return std::make_unique<AttentionStep>(shape, operands);
}

std::unique_ptr<Step> MakeAttentionBackwardStep(math::AttentionShape shape,
                                                AttentionBackwardOperands operands) {
  return std::make_unique<AttentionBackwardStep>(shape, operands);
}

}  // namespace millwright::device::cpu
