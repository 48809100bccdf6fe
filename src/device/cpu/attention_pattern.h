// Masked attention, recognised in a program.
#pragma once

#include <vector>

#include "mil/program.h"

namespace millwright::device::cpu {

// What reshapes and transposes make of a value.
struct Renamed {
  mil::ValueId root = -1;     // the value
  std::vector<int> renaming;  // the operations, in their order
};

// probs = softmax(scale * q k^T + mask) over the last axis of [batch, heads, S, S].
struct ScorePattern {
  mil::ValueId q = -1, k = -1, probs = -1;
  mil::ValueId mask = -1;  // a constant; -1: none
  double scale = 1;  // on q k^T; where q itself is scaled by an operation, that is not in here
};

// out = probs v, where the scores are scale * q k^T for the plain queries `q`: a factor that only
// the scores' queries are multiplied by is part of the scale.
struct AttentionPattern {
  int root = -1;  // the operation that is replaced: the last matmul
  ScorePattern scores;
  Renamed q;
  double scale = 1;
  mil::ValueId v = -1, out = -1;
};

// The backward step of the same, from da = d loss / d out:
//   dv = probs^T da, dp = da v^T, ds = ds_scale * probs * (dp - sum(probs * dp)), dq = ds k,
//   dk = ds^T q_plain
// where q is q_plain times q_scale, by an operation on the value that both are renamed from.
struct AttentionBackwardPattern {
  int root = -1;  // the operation at whose place everything is computed: the first of dv, dq and dk
  ScorePattern scores;
  mil::ValueId v = -1, da = -1;
  Renamed q;         // q_plain
  double scale = 1;  // of scores and of ds alike
  mil::ValueId dv = -1, dq = -1, dk = -1;
};

struct Lowering;
// Both find all instances in a program and claim the operations that they replace
// (Lowering::group).
void MatchAttention(Lowering& lowering);
void MatchAttentionBackward(Lowering& lowering);

}  // namespace millwright::device::cpu
