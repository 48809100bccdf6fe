// How numbers are rounded and summed: exactly, as IEEE devices do, or as Apple's Neural Engine
// does.
#pragma once

#include <cstddef>
#include <string_view>

#include "base/ane_rules.h"
#include "base/dtype.h"
#include "base/product_counters.h"

namespace millwright {

enum class Precision {
  kExact,  // double throughout, nothing rounded: for gradient checks
  kFp32,   // floats held in fp32 whatever their declared dtype
  kFp16,   // each result rounded to its declared dtype; products accumulated in fp32 or wider
  kBf16,   // as kFp32, but for products with weights, whose operands are rounded to bf16
  kInt8,   // as kFp32, but for products with weights, whose operands are rounded to 8 bits
  kAne,    // the ANE's arithmetic: see ane_rules.def
};

std::string_view PrecisionName(Precision precision);

// kBf16 and kInt8, which only a compiled device has: the CPU's.
bool HasRoundedProducts(Precision precision);

// Rounding and summation of one precision. Stateless; pass by const reference.
class Numerics {
 public:
  // `rules` are those that kAne follows. `counters`, where given, must outlive the numerics; those
  // who multiply matrices add to them.
  explicit Numerics(Precision precision, AneRules rules = {}, ProductCounters* counters = nullptr)
      : precision_(precision), rules_(rules), counters_(counters) {}
  Precision precision() const { return precision_; }
  const AneRules& rules() const { return rules_; }
  ProductCounters* counters() const { return counters_; }
  // Whether results are those of a rule of the ANE's.
  bool Follows(AneRule rule) const { return precision_ == Precision::kAne && rules_.Has(rule); }

  // `value` as an operation reads it: AneRule::kDecode makes numbers of infinities and NaNs.
  double Operand(double value) const;

  // `value` as an element of `dtype` after an operation. kExact leaves floats alone; kFp32,
  // kBf16 and kInt8 round floats to fp32; kFp16 to `dtype`; kAne to `dtype` half away from zero, -0
  // becoming +0. Integers and bools are clamped to their range.
  double Round(double value, DType dtype) const;

  // sum_k a[k*stride_a] * b[k*stride_b], in order of k. kAne: every product is rounded, half away
  // from zero, to a multiple of 2^-16; products whose operand exponents sum to -17 or less vanish;
  // a partial sum of magnitude >= 32768 sticks at infinity; so does a result that rounds to 32768
  // in fp16. The published model sums in an order that is not known; ascending k is ours, and
  // matters only where a partial sum reaches the limit.
  double Dot(const double* a, ptrdiff_t stride_a, const double* b, ptrdiff_t stride_b,
             size_t count) const;

  // sum_k a[k*stride]: as Dot, but on kAne a narrow fp16 accumulator, each partial sum rounded.
  double Sum(const double* a, ptrdiff_t stride, size_t count) const;

 private:
  double AneDot(const double* a, ptrdiff_t stride_a, const double* b, ptrdiff_t stride_b,
                size_t count) const;

  Precision precision_;
  AneRules rules_;
  ProductCounters* counters_;
};

}  // namespace millwright
