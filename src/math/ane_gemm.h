// The ANE's matrix product (Numerics::Dot with Precision::kAne, facts E1, E2 and E13), vectorised.
#pragma once

#include <cstdint>

#include "base/numerics.h"

namespace millwright::math {

// c[m, n] = a[m, k] b[k, n] for fp16 numbers held in fp32, all dense and row-major: every element
// is Numerics::Dot's, rounded to fp16 by Numerics::Round, bit for bit, with any set of rules. Sums
// are fixed point and therefore exact, so that their order does not matter, except where a partial
// sum can reach the limit: such rows are summed in ascending order of k with the limit watched.
// `numerics` is of precision kAne; its counters are added to.
void AneGemm(const Numerics& numerics, int64_t m, int64_t n, int64_t k, const float* a,
             const float* b, float* c);

// The scalar twin, by definition.
void ScalarAneGemm(const Numerics& numerics, int64_t m, int64_t n, int64_t k, const float* a,
                   const float* b, float* c);

}  // namespace millwright::math
