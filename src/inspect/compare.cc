#include "inspect/compare.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/rng.h"
#include "base/tolerance.h"
#include "inspect/operands.h"

namespace millwright::inspect {
namespace {

using device::ArrayPtr;
using Elements = std::span<const double>;

// How much more than a random change of all operands by their rounding the worst change may do.
constexpr double kRandomToWorst = 4;
constexpr uint64_t kSignSeed = 1;

// 0 for a finite number; NaN and the two infinities are three more kinds.
int KindOf(double value) {
  if (std::isfinite(value)) return 0;
  return std::isnan(value) ? 1 : value > 0 ? 2 : 3;
}

struct Distance {
  double norm = 0;    // of the difference, over the elements that are finite in both
  int64_t kinds = 0;  // elements of different kinds
};

Distance Between(Elements a, Elements b) {
  Distance distance;
  double squares = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    if (KindOf(a[i]) != KindOf(b[i])) ++distance.kinds;
    if (!std::isfinite(a[i]) || !std::isfinite(b[i])) continue;
    squares += (a[i] - b[i]) * (a[i] - b[i]);
  }
  distance.norm = std::sqrt(squares);
  return distance;
}

int64_t Ulp(DType dtype, double a, double b) {
  switch (dtype) {
    case DType::kFp16:
      return UlpDistance(DoubleToFp16(a), DoubleToFp16(b));
    case DType::kFp32:
      return UlpDistance(static_cast<float>(a), static_cast<float>(b));
    default:
      return static_cast<int64_t>(std::fabs(a - b));
  }
}

void FindWorst(Elements a, Elements b, DType dtype, ComparedValue* compared) {
  double furthest = -1;
  for (size_t i = 0; i < a.size(); ++i) {
    if (a[i] == b[i] || (std::isnan(a[i]) && std::isnan(b[i]))) continue;
    const double gap = KindOf(a[i]) == KindOf(b[i]) ? std::fabs(a[i] - b[i])
                                                    : std::numeric_limits<double>::infinity();
    if (gap <= furthest) continue;
    furthest = gap;
    compared->worst = static_cast<int64_t>(i);
  }
  if (a.empty()) return;
  const auto at = static_cast<size_t>(compared->worst);
  compared->worst_a = a[at];
  compared->worst_b = b[at];
  compared->ulp = KindOf(a[at]) == KindOf(b[at]) ? Ulp(dtype, a[at], b[at])
                                                 : std::numeric_limits<int64_t>::max();
}

// A norm relative to another; infinite where the other is zero and the norm is not.
double Relative(double norm, double to) {
  if (norm == 0) return 0;
  return to > 0 ? norm / to : std::numeric_limits<double>::infinity();
}

// Compares the values of two runs operation by operation.
class Comparer {
 public:
  explicit Comparer(const TwoRuns& runs)
      : runs_(runs),
        function_(runs.evaluator.function()),
        a_(WithConstants(runs.evaluator, runs.a)),
        b_(WithConstants(runs.evaluator, runs.b)),
        apart_(function_.values.size(), 0),
        own_(function_.values.size(), 0) {}

  Result<Comparison> Run() && {
    for (const mil::Operation& operation : function_.operations) {
      if (!RunsAtRunTime(operation)) continue;
      if (Status status = Add(operation); !status) return status.error();
    }
    if (result_.first) {
      if (Status status = Explain(result_.values[*result_.first]); !status) return status.error();
    }
    return std::move(result_);
  }

 private:
  Result<std::vector<mil::Array>> Exactly(const mil::Operation& operation,
                                          const RunValues& values) const {
    return runs_.evaluator.Evaluate(operation, values, Numerics(Precision::kExact));
  }

  // The same of run b's operands: that is what an exact run b has anyway.
  Result<std::vector<mil::Array>> ExactlyOfB(const mil::Operation& operation) const {
    if (runs_.arithmetic_b.precision != Precision::kExact) return Exactly(operation, b_);
    std::vector<mil::Array> results;
    results.reserve(operation.outputs.size());
    for (const mil::ValueId value : operation.outputs) {
      results.push_back(*b_[static_cast<size_t>(value)]);
    }
    return results;
  }

  // How far result `index` of `operation` moves when its operands do by as much as the rounding
  // that a compiled device did, or left out, between them.
  Result<double> Wobble(const mil::Operation& operation, const RunValues& values, size_t index,
                        const mil::Array& exact) const {
    RunValues moved = values;
    for (const mil::ValueId value : Operands(operation)) {
      const auto at = static_cast<size_t>(value);
      if (values[at] == nullptr || own_[at] == 0) continue;
      mil::Array array = *values[at];
      const Rng rng(kSignSeed, at);
      for (size_t i = 0; i < array.data.size(); ++i) {
        array.data[i] *= 1 + (rng.Bits(i) % 2 == 0 ? own_[at] : -own_[at]);
      }
      moved[at] = std::make_shared<const mil::Array>(std::move(array));
    }
    const auto result = Exactly(operation, moved);
    if (!result) return result.error();
    return kRandomToWorst * Between((*result)[index].data, exact.data).norm;
  }

  // The bounds on both runs' own errors in result `index`. Operands that a compiled device did not
  // show as it used them add what their rounding moves.
  struct OwnBounds {
    double a = 0, b = 0;
    double moved = 0;
  };

  Result<OwnBounds> BoundsOf(const mil::Operation& operation, size_t index,
                             const mil::Array& exact_a, const mil::Array& exact_b) const {
    const auto a = OwnErrorBound(runs_.evaluator, operation, a_, exact_a, runs_.arithmetic_a);
    if (!a) return a.error();
    const auto b = OwnErrorBound(runs_.evaluator, operation, b_, exact_b, runs_.arithmetic_b);
    if (!b) return b.error();
    OwnBounds bounds{.a = *a, .b = *b};
    if (runs_.arithmetic_a.compiled) {
      const auto moved = Wobble(operation, a_, index, exact_a);
      if (!moved) return moved.error();
      bounds.moved = *moved;
    }
    return bounds;
  }

  Status Add(const mil::Operation& operation) {
    const auto from_a = Exactly(operation, a_);
    if (!from_a) return from_a.error();
    const auto from_b = ExactlyOfB(operation);
    if (!from_b) return from_b.error();
    for (size_t i = 0; i < operation.outputs.size(); ++i) {
      const auto bounds = BoundsOf(operation, i, (*from_a)[i], (*from_b)[i]);
      if (!bounds) return bounds.error();
      AddValue(operation, operation.outputs[i], (*from_a)[i].data, (*from_b)[i].data, *bounds);
    }
    return {};
  }

  void AddValue(const mil::Operation& operation, mil::ValueId value, Elements exact_a,
                Elements exact_b, const OwnBounds& own) {
    const auto at = static_cast<size_t>(value);
    const Elements a = a_[at]->data, b = b_[at]->data;
    const DType declared = function_.value(value).type.dtype;
    const double norm = StatsOf(b, declared).norm;
    const Distance difference = Between(a, b), inherited = Between(exact_a, exact_b);
    const double limit = own.a + own.b + own.moved + inherited.norm;
    ComparedValue compared{.operation = &operation,
                           .value = value,
                           .difference = Relative(difference.norm, norm),
                           .inherited = Relative(inherited.norm, norm),
                           .bound = Relative(limit, norm),
                           .kinds = difference.kinds};
    // An infinity or NaN is explained where exact arithmetic on the same operands has it, too.
    const int64_t unexplained = Between(a, exact_a).kinds + Between(b, exact_b).kinds;
    if (difference.norm > limit || (difference.kinds > 0 && unexplained > 0)) {
      compared.parting = Parting::kOwnError;
    } else if (IsFloat(declared) && compared.difference > HalfOfTheDigits(declared) &&
               OperandsAgree(operation)) {
      compared.parting = Parting::kAmplified;
    }
    FindWorst(a, b, declared, &compared);
    apart_[at] = compared.difference;
    own_[at] = std::min(1.0, Relative(own.a, StatsOf(exact_a, declared).norm));
    result_.values.push_back(compared);
    if (compared.parting != Parting::kNone && !result_.first) {
      result_.first = result_.values.size() - 1;
    }
  }

  double HalfOfTheDigits(DType declared) const {
    const Precision a = runs_.arithmetic_a.precision, b = runs_.arithmetic_b.precision;
    return std::sqrt(std::max({UnitRoundoff(HeldAs(a, declared)), UnitRoundoff(HeldAs(b, declared)),
                               OperandRoundoff(a)}));
  }

  bool OperandsAgree(const mil::Operation& operation) const {
    const auto operands = Operands(operation);
    return std::all_of(operands.begin(), operands.end(), [&](mil::ValueId value) {
      const DType declared = function_.value(value).type.dtype;
      return !IsFloat(declared) || apart_[static_cast<size_t>(value)] <= HalfOfTheDigits(declared);
    });
  }

  Status Explain(const ComparedValue& first) {
    for (const mil::ValueId value : Operands(*first.operation)) {
      const ArrayPtr& array = a_[static_cast<size_t>(value)];
      const mil::Type& type = function_.value(value).type;
      if (array == nullptr || !IsFloat(type.dtype) || type.shape.empty()) continue;
      result_.operands.push_back(
          {function_.value(value).id, type, StatsOf(array->data, type.dtype)});
    }
    // Of the two runs the one with the wider rounding has the error.
    const bool a_is_wide = runs_.arithmetic_a.precision == Precision::kExact &&
                           runs_.arithmetic_b.precision != Precision::kExact;
    const Suspect suspect{
        .evaluator = runs_.evaluator,
        .operation = *first.operation,
        .value = first.value,
        .values = a_is_wide ? b_ : a_,
        .precision = a_is_wide ? runs_.arithmetic_b.precision : runs_.arithmetic_a.precision,
        .amplified = first.parting == Parting::kAmplified};
    auto reasons = Diagnose(suspect);
    if (!reasons) return reasons.error();
    result_.reasons = *std::move(reasons);
    return {};
  }

  const TwoRuns& runs_;
  const mil::Function& function_;
  RunValues a_, b_;
  std::vector<double> apart_;  // by value: the relative difference of the runs
  std::vector<double> own_;    // by value: run a's own bound, relative; of operands as shown
  Comparison result_;
};

}  // namespace

Result<Comparison> Compare(const TwoRuns& runs) { return Comparer(runs).Run(); }

}  // namespace millwright::inspect
