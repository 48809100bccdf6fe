#include "device/cpu/attention_pattern.h"

#include "device/cpu/lowering.h"

namespace millwright::device::cpu {

void MatchAttention(Lowering&) {}
void MatchAttentionBackward(Lowering&) {}

}  // namespace millwright::device::cpu
