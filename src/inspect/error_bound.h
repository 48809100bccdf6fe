// How far one operation may be off by rounding alone.
#pragma once

#include <cstdint>
#include <span>

#include "base/numerics.h"
#include "base/result.h"
#include "device/reference/evaluator.h"

namespace millwright::inspect {

// Where an operation ran.
struct Arithmetic {
  Precision precision = Precision::kFp32;
  // A compiled device: computes and accumulates in fp32 (the reference: in double), and rounds what
  // an operation hands on only where it is written to memory.
  bool compiled = false;
};

// The dtype that a value declared `declared` is held in.
DType HeldAs(Precision precision, DType declared);

// By how much an operand of a product with weights may be moved before: bf16 relative to each
// element, int8 to the largest; 0 in the other precisions.
double OperandRoundoff(Precision precision);

// Whether `operation` sums products: matmul, linear, convolutions, attention.
bool SumsProducts(const mil::Operation& operation);

// The number of terms in the longest sum that one element of the result of `operation` takes.
int64_t SumTerms(const mil::Function& function, const mil::Operation& operation);

// A bound on ||computed - exact|| for the first result of `operation`, where `exact` is its result
// in exact arithmetic on the operands in `values`:
//   u ||exact||                     one rounding to the dtype that the result is held in
//   + 8 u32 ||exact||               compiled only: a vector function is off by a few units of fp32
//   + gamma_k ||f(|operands|)||     compiled only: a sum of k terms (Higham 2002, equation 3.5)
//   + the rounding of both operands, for products in `int8` (base/tolerance.h) and `bf16`
// For `ane` this is what hardware would be allowed that accumulated exactly and rounded once, so
// that everything else that the ANE does counts as an error. Underflow is an error, too: no term is
// there for it. Integers and bools that come of floats may be off by one each.
Result<double> OwnErrorBound(const device::Evaluator& evaluator, const mil::Operation& operation,
                             std::span<const device::ArrayPtr> values, const mil::Array& exact,
                             const Arithmetic& arithmetic);

}  // namespace millwright::inspect
