// Masked attention, recognised in a program.
#pragma once

#include <vector>

#include "mil/program.h"

namespace millwright::device::cpu {

// o = softmax(scale * q k^T + mask) v over the last two axes of [.., heads, S, width].
struct AttentionPattern {
  int root = -1;             // the operation that is replaced: the last matmul
  std::vector<int> covered;  // operations whose results are used only inside
  mil::ValueId q = -1, k = -1, v = -1;
  mil::ValueId mask = -1;  // -1: none
  float scale = 1;
  mil::ValueId out = -1;
};

// Its backward pass from da = d loss / d o, with p the probabilities:
//   dv = p^T da, dp = da v^T, ds = scale * p * (dp - sum(p * dp)), dq = ds k, dk = ds^T q
struct AttentionBackwardPattern {
  int root = -1;  // the operation that is replaced: the last of dv, dq and dk
  std::vector<int> covered;
  mil::ValueId q = -1, k = -1, v = -1, da = -1;
  mil::ValueId q_plain = -1;  // what dk is multiplied from; q may be scaled already
  mil::ValueId mask = -1;
  float score_scale = 1;  // on q k^T
  float ds_scale = 1;     // on ds
  mil::ValueId dv = -1, dq = -1, dk = -1;
};

struct Lowering;
// Both claim the operations they cover.
void MatchAttention(Lowering& lowering);
void MatchAttentionBackward(Lowering& lowering);

}  // namespace millwright::device::cpu
