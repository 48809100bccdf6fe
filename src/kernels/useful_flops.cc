#include "kernels/useful_flops.h"

namespace millwright::kernels {
namespace {

// Products of [seq, head_dim] by [head_dim, seq] or the like of a kernel, over all heads.
int AttentionProducts(KernelId kernel, bool fused_backward) {
  switch (kernel) {
    case KernelId::kSdpaFwd:
      return 2;  // scores, and their weighted sum
    case KernelId::kSdpaBwd1:
      return fused_backward ? 5 : 3;  // scores, dV, dP; fused: dQ and dK as well
    case KernelId::kSdpaBwd2:
      return 2;
    default:
      return 0;
  }
}

}  // namespace

double UsefulFlops(const KernelProgram& program, KernelId kernel, const KernelSpec& spec) {
  const auto seq = static_cast<double>(spec.config.seq);
  const double half =
      seq * seq * static_cast<double>(spec.config.q_dim()) * static_cast<double>(spec.batch);
  return CostOf(program).flops -
         AttentionProducts(kernel, spec.target.fused_attention_backward) * half;
}

}  // namespace millwright::kernels
