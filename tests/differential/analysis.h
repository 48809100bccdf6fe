// How far the result of an operation may lie from the exact one, computed while a program is
// evaluated exactly.
//
// Every element of every value carries two bounds on |computed - exact|, one for devices that hold
// floats in fp32 and one for those that round to the declared dtype (fp16). A bound is what the
// operation makes of its operands' bounds, which comes from evaluating the operation itself (on the
// bounds, on magnitudes, or at the ends of intervals), plus its own roundings. The rules are in
// OpBound. Source: Higham, "Accuracy and Stability of Numerical Algorithms", 2002, sections 3.3 and
// 3.6.
#pragma once

#include <array>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "mil/ops/op.h"
#include "mil/program.h"

namespace millwright::differential {

enum class Mode { kFp32, kFp16 };
inline constexpr std::array kModes = {Mode::kFp32, Mode::kFp16};

// How an operation passes errors on.
enum class Rule {
  kMove,     // elements move: so do their errors
  kSum,      // linear with weights of at least 0: the operation on the errors
  kProduct,  // linear in each operand: f(|x| + e, |y| + e) - f(|x|, |y|)
  kCorners,  // elementwise: the operation at the ends of its operands' intervals
  kSoftmax,  // e^x / sum e^x at the ends of its operand's intervals
  kLargest,  // moves by at most as much as its operand: the largest error
  kExact,    // only for operands without error: then its own roundings alone
};

struct OpBound {
  Rule rule = Rule::kExact;
  double ulps = 1;  // of fp32, that a device's own implementation may add to one rounding
};

// A value of a program: its exact elements, and a bound for each of them in each mode.
struct Known {
  mil::Array exact;
  std::array<std::vector<double>, kModes.size()> error;
  std::string text;  // of a string

  bool IsExact() const;  // all bounds are 0
  const std::vector<double>& errors(Mode mode) const { return error[static_cast<size_t>(mode)]; }
};
using KnownPtr = std::shared_ptr<const Known>;

KnownPtr KnownConstant(const mil::Constant& constant);
KnownPtr KnownElements(mil::Type type, std::vector<double> elements);

// The results of `operation`, whose operands are `known` (by value id). Bad input: kExact with
// operands that have errors, and what the operation itself refuses.
Result<std::vector<KnownPtr>> Analyze(const mil::Operation& operation,
                                      std::span<const mil::Type> types,
                                      std::span<const KnownPtr> known, const OpBound& bound);

// |stored - exact| of an element of an output surface.
double OutputError(const Known& value, size_t index, Mode mode);

// All values of a program, for inputs in the order of its function.
Result<std::vector<KnownPtr>> AnalyzeFunction(const mil::Function& function,
                                              const std::vector<std::vector<double>>& inputs);

}  // namespace millwright::differential
