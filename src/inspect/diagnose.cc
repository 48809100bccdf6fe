#include "inspect/diagnose.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

#include "base/product_counters.h"
#include "inspect/error_bound.h"
#include "inspect/operands.h"
#include "inspect/tensor_stats.h"

namespace millwright::inspect {
namespace {

constexpr double kLargestHalf = 65504;
constexpr double kMaskLike = -6e4;  // nobody computes this; it is a mask
constexpr double kNotable = 0.01;   // of the products or results
constexpr double kAccumulatorStep = 0x1p-16;
constexpr double kSmallArgument = 0x1.0cp-17;  // of log and rsqrt (fact E9)
constexpr std::array<std::string_view, 5> kTabled = {"sigmoid", "silu", "gelu", "tanh", "exp"};

template <size_t N>
bool OneOf(const std::array<std::string_view, N>& ops, std::string_view op) {
  return std::find(ops.begin(), ops.end(), op) != ops.end();
}

// Collects reasons; each method looks for one kind of cause.
class Doctor {
 public:
  explicit Doctor(const Suspect& suspect)
      : suspect_(suspect), function_(suspect.evaluator.function()), op_(suspect.operation.op) {}

  Result<std::vector<std::string>> Run() && {
    const auto exact = suspect_.evaluator.Evaluate(suspect_.operation, suspect_.values,
                                                   Numerics(Precision::kExact));
    if (!exact) return exact.error();
    const auto& outputs = suspect_.operation.outputs;
    const auto index = std::find(outputs.begin(), outputs.end(), suspect_.value) - outputs.begin();
    exact_ = (*exact)[static_cast<size_t>(index)];
    if (suspect_.amplified) {
      LookForCancellation();
    } else {
      if (Status status = LookAtProducts(); !status) return status.error();
      LookForOverflow();
      LookForUnderflow();
      LookForAneRules();
    }
    if (reasons_.empty()) Otherwise();
    return std::move(reasons_);
  }

 private:
  bool ane() const { return suspect_.precision == Precision::kAne; }
  const mil::Array& result() const { return *suspect_.values[static_cast<size_t>(suspect_.value)]; }
  const std::string& Id(mil::ValueId value) const { return function_.value(value).id; }
  int64_t terms() const { return SumTerms(function_, suspect_.operation); }

  template <class... Args>
  void Say(fmt::format_string<Args...> format, Args&&... args) {
    reasons_.push_back(fmt::format(format, std::forward<Args>(args)...));
  }

  // Products that vanish and sums that saturate in the ANE's accumulator.
  Status LookAtProducts() {
    if (!ane() || !SumsProducts(suspect_.operation)) return {};
    ProductCounters counters;
    const auto ran = suspect_.evaluator.Evaluate(suspect_.operation, suspect_.values,
                                                 Numerics(Precision::kAne, {}, &counters));
    if (!ran) return ran.error();
    const ProductCounts counts = counters.Read();
    if (counts.saturated > 0) {
      Say("{} of {} sums of products reach 32768 and stick at infinity (facts E1, E2); exact sums "
          "go up to {:.4g}. Scale an operand down before the product{}",
          counts.saturated, counts.sums, StatsOf(exact_.data, DType::kFp64).absmax, ScaledAfter());
    }
    const double vanished = static_cast<double>(counts.vanished) /
                            static_cast<double>(std::max<uint64_t>(1, counts.products));
    if (vanished > kNotable) {
      Say("{:.1f}% of the products vanish: the exponents of their operands sum to -17 or less "
          "(fact E1). Scale the operands up, as a loss scale does for gradients",
          100 * vanished);
    }
    const TensorStats stats = StatsOf(exact_.data, DType::kFp64);
    const double rms =
        stats.norm / std::sqrt(static_cast<double>(std::max<int64_t>(1, stats.elements)));
    if (counts.saturated == 0 && rms * 0x1p-11 < kAccumulatorStep / 2) {
      Say("the sums are small (root mean square {:.2g}) for an accumulator that counts in steps of "
          "2^-16 (fact E1). Scale the operands up",
          rms);
    }
    return {};
  }

  // ": 'scaled' multiplies by 0.125 afterwards", if it is so.
  std::string ScaledAfter() const {
    for (const mil::Operation& next : function_.operations) {
      const auto operands = Operands(next);
      if (next.op != "mul" ||
          std::find(operands.begin(), operands.end(), suspect_.value) == operands.end()) {
        continue;
      }
      for (const mil::ValueId other : operands) {
        const auto& array = suspect_.evaluator.constants()[static_cast<size_t>(other)];
        if (array == nullptr || array->data.size() != 1 || std::fabs(array->data[0]) >= 1) continue;
        return fmt::format(": '{}' multiplies by {:.6g} afterwards, which is too late",
                           Id(next.outputs.front()), array->data[0]);
      }
    }
    return "";
  }

  const mil::Value* MaskOperand() const {
    if (op_ != "add" && op_ != "sub") return nullptr;
    for (const mil::ValueId value : Operands(suspect_.operation)) {
      const auto& array = suspect_.values[static_cast<size_t>(value)];
      if (StatsOf(array->data, array->type.dtype).min <= kMaskLike) return &function_.value(value);
    }
    return nullptr;
  }

  void LookForOverflow() {
    if (ane() && SumsProducts(suspect_.operation)) return;  // its limit is another: LookAtProducts
    int64_t overflowed = 0, nans = 0;
    double largest = 0;
    for (size_t i = 0; i < exact_.data.size(); ++i) {
      if (!std::isfinite(exact_.data[i]) || std::isfinite(result().data[i])) continue;
      std::isnan(result().data[i]) ? ++nans : ++overflowed;
      largest = std::max(largest, std::fabs(exact_.data[i]));
    }
    if (nans > 0) Say("{} results are NaN that exact arithmetic has as numbers", nans);
    if (overflowed == 0 || largest <= kLargestHalf) return;
    if (const mil::Value* mask = MaskOperand()) {
      Say("{} of {} results are infinite: '{}' holds numbers near -65504, and adding a negative "
          "one goes beyond fp16. A mask of -1e4 hides as well and does not overflow",
          overflowed, exact_.data.size(), mask->id);
      return;
    }
    Say("{} of {} results are beyond fp16's largest number, 65504 (up to {:.4g}). Scale before "
        "this operation{}",
        overflowed, exact_.data.size(), largest, ScaledAfter());
  }

  void LookForUnderflow() {
    const DType held = HeldAs(suspect_.precision, exact_.type.dtype);
    const double smallest = SmallestNormal(held);
    int64_t nonzero = 0, small = 0, lost = 0;
    for (size_t i = 0; i < exact_.data.size(); ++i) {
      if (exact_.data[i] == 0) continue;
      ++nonzero;
      small += std::fabs(exact_.data[i]) < smallest;
      lost += result().data[i] == 0;
    }
    const auto share = [&](int64_t count) {
      return static_cast<double>(count) / static_cast<double>(std::max<int64_t>(1, nonzero));
    };
    if (share(small) <= kNotable) return;
    Say("{:.1f}% of the results are below {:.2g}, {}'s smallest normal number, and keep fewer "
        "digits; {:.1f}% become 0. Scale up (a larger loss scale, for gradients)",
        100 * share(small), smallest, DTypeName(held), 100 * share(lost));
  }

  void LookForAneRules() {
    if (!ane()) return;
    if (OneOf(kTabled, op_) || op_ == "softmax") {
      Say("the ANE interpolates {} between 33 samples (fact E12)",
          op_ == "softmax" ? "the exponential" : op_);
    }
    if (op_ == "reduce_sum" || op_ == "reduce_mean") {
      Say("the ANE adds these {} terms in fp16 and rounds after each (fact E5; whole numbers are "
          "exact to 2048 only). Multiply by a matrix of ones instead: products accumulate wider",
          terms());
    }
    for (const mil::ValueId value : Operands(suspect_.operation)) {
      const auto& array = suspect_.values[static_cast<size_t>(value)];
      if (array == nullptr || !IsFloat(array->type.dtype)) continue;
      const TensorStats stats = StatsOf(array->data, array->type.dtype);
      if (stats.nans + stats.infinities > 0) {
        Say("{} elements of '{}' are infinite or NaN, which the ANE takes for numbers (fact E13)",
            stats.nans + stats.infinities, Id(value));
      }
      if ((op_ == "log" || op_ == "rsqrt") && stats.min < kSmallArgument) {
        Say("'{}' goes down to {:.2g}; below 8e-6 the ANE gives an infinity (fact E9). Clamp it",
            Id(value), stats.min);
      }
    }
  }

  void LookForCancellation() {
    const double norm = StatsOf(exact_.data, DType::kFp64).norm;
    for (const mil::ValueId value : Operands(suspect_.operation)) {
      const auto& array = suspect_.values[static_cast<size_t>(value)];
      if (array == nullptr || !IsFloat(array->type.dtype)) continue;
      const TensorStats stats = StatsOf(array->data, array->type.dtype);
      if (stats.norm > 8 * norm && (op_ == "add" || op_ == "sub" || op_.starts_with("reduce_") ||
                                    SumsProducts(suspect_.operation))) {
        Say("cancellation: '{}' has norm {:.3g}, the result {:.3g}. What the operands agree in "
            "goes, their rounding stays",
            Id(value), stats.norm, norm);
      }
      if (op_ == "exp" || op_ == "softmax") {
        Say("'{}' goes from {:.4g} to {:.4g}: an exponential makes a relative error of an absolute "
            "one. Make the numbers smaller",
            Id(value), stats.min, stats.max);
      }
    }
  }

  void Otherwise() {
    if (suspect_.amplified) {
      Say("the operation is ill-conditioned here: it makes much of small changes of its operands");
    } else if (HasRoundedProducts(suspect_.precision) && SumsProducts(suspect_.operation)) {
      Say("the operands of the product were rounded to {}", PrecisionName(suspect_.precision));
    } else if (terms() > 1) {
      Say("a sum of {} terms was rounded on the way", terms());
    } else {
      Say("no usual cause: no overflow, underflow or rule of the ANE's explains it");
    }
  }

  const Suspect& suspect_;
  const mil::Function& function_;
  std::string_view op_;
  mil::Array exact_;
  std::vector<std::string> reasons_;
};

}  // namespace

Result<std::vector<std::string>> Diagnose(const Suspect& suspect) { return Doctor(suspect).Run(); }

}  // namespace millwright::inspect
