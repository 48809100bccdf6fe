#include "app/slow_precision.h"

#include <fmt/format.h>

#include <cstdio>

#include "math/gemm.h"
#include "math/int8.h"

namespace millwright::app {

std::string SlowPrecisionNote(Precision precision, const device::Caps& caps) {
  if (!caps.computes) return "";
  if (precision == Precision::kInt8 && !math::HasInt8Dot()) {
    return "--precision int8: this CPU has no sum of 8-bit products (AVX-512 VNNI); fp32 is faster "
           "here";
  }
  if (precision == Precision::kBf16 && !math::HasFastBf16()) {
    return "--precision bf16: there are no bf16 products here (oneDNN on a CPU with AVX512_BF16 or "
           "AMX-BF16); fp32 is faster here";
  }
  return "";
}

void WarnOfSlowPrecision(Precision precision, const device::Caps& caps) {
  const std::string note = SlowPrecisionNote(precision, caps);
  if (!note.empty()) fmt::print(stderr, "{}\n", note);
}

}  // namespace millwright::app
