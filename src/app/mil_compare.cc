// millwright mil run --compare: where two runs of a program part.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "app/mil_run.h"
#include "app/open_device.h"
#include "inspect/compare.h"
#include "inspect/source_lines.h"

namespace millwright::app {
namespace {

using inspect::ComparedValue;
using inspect::Parting;

constexpr size_t kShownBefore = 4;
constexpr size_t kShownAfter = 3;

// What to compare with.
Result<Precision> OtherPrecision(const std::string& argument) {
  constexpr std::string_view kReference = "reference";
  const std::string_view text = argument;
  if (text == kReference) return Precision::kExact;
  if (!text.starts_with(kReference) || text[kReference.size()] != ':') {
    return BadInput("--compare {}: expected reference or reference:PRECISION", argument);
  }
  auto precision = PrecisionFromFlag(text.substr(kReference.size() + 1), /*exact=*/true);
  if (!precision) return precision.error().In("--compare");
  if (HasRoundedProducts(*precision)) {
    return BadInput("--compare {}: the reference has no {}", argument, PrecisionName(*precision));
  }
  return precision;
}

std::string_view PartingName(Parting parting) {
  switch (parting) {
    case Parting::kNone:
      return "";
    case Parting::kOwnError:
      return "own error";
    case Parting::kAmplified:
      return "amplified";
  }
  return "";
}

// A report of one comparison.
class CompareReport {
 public:
  CompareReport(const MilRunFlags& flags, const MilRun& run, Precision other,
                const inspect::Comparison& comparison)
      : flags_(flags),
        function_(run.function()),
        other_(PrecisionName(other)),
        comparison_(comparison),
        lines_(run.file.text) {}

  void PrintText() const {
    fmt::print("a: {} {}; b: reference {}\n", flags_.device, flags_.precision, other_);
    PrintTable();
    if (!comparison_.first) {
      fmt::print("\nThe runs agree: all {} values differ by no more than rounding explains.\n",
                 comparison_.values.size());
      return;
    }
    PrintFirst(comparison_.values[*comparison_.first]);
  }

  void PrintJson() const {
    nlohmann::ordered_json json = {{"file", flags_.file},
                                   {"device", flags_.device},
                                   {"precision", flags_.precision},
                                   {"reference", other_},
                                   {"part", comparison_.first.has_value()},
                                   {"first", nullptr},
                                   {"reasons", comparison_.reasons},
                                   {"values", nlohmann::json::array()}};
    if (comparison_.first) json["first"] = Id(comparison_.values[*comparison_.first]);
    for (const ComparedValue& value : comparison_.values) {
      json["values"].push_back({{"id", Id(value)},
                                {"operation", value.operation->op},
                                {"line", Line(value)},
                                {"difference", value.difference},
                                {"inherited", value.inherited},
                                {"bound", value.bound},
                                {"kinds", value.kinds},
                                {"ulp", value.ulp},
                                {"worst", value.worst},
                                {"a", value.worst_a},
                                {"b", value.worst_b},
                                {"parting", PartingName(value.parting)}});
    }
    fmt::print("{}\n", json.dump(2));
  }

 private:
  const std::string& Id(const ComparedValue& value) const {
    return function_.value(value.value).id;
  }
  size_t Line(const ComparedValue& value) const { return lines_.LineOf(function_.name, Id(value)); }

  // The neighbourhood of the first parting, or the end of the program.
  void PrintTable() const {
    const size_t count = comparison_.values.size();
    const size_t middle = comparison_.first.value_or(count == 0 ? 0 : count - 1);
    const size_t begin = middle - std::min(middle, kShownBefore);
    const size_t end = std::min(count, middle + kShownAfter + 1);
    fmt::print("{:>5} {:<14} {:<14} {:>11} {:>11} {:>11} {:>8}\n", "line", "operation", "value",
               "|a-b|/|b|", "inherited", "bound", "ULP");
    if (begin > 0) fmt::print("      ... {} before\n", begin);
    for (size_t i = begin; i < end; ++i) {
      const ComparedValue& v = comparison_.values[i];
      fmt::print("{:>5} {:<14} {:<14} {:>11.3e} {:>11.3e} {:>11.3e} {:>8}{}{}\n", Line(v),
                 v.operation->op, Id(v), v.difference, v.inherited, v.bound, UlpText(v),
                 v.parting == Parting::kNone ? ""
                 : i == middle               ? "  <-- "
                                             : "  ",
                 PartingName(v.parting));
    }
    if (end < count) fmt::print("      ... {} after\n", count - end);
  }

  static std::string UlpText(const ComparedValue& v) {
    constexpr int64_t kMany = 100000;
    return v.ulp > kMany ? fmt::format(">{}", kMany) : fmt::format("{}", v.ulp);
  }

  void PrintFirst(const ComparedValue& first) const {
    fmt::print("\nThe runs part at {}:{}: {}\n", flags_.file, Line(first),
               inspect::OperationName(function_, *first.operation));
    fmt::print(
        "  error     {:.3e} of the norm, {:.3e} of it inherited; {:.3e} is what rounding "
        "explains\n",
        first.difference, first.inherited, first.bound);
    if (first.kinds > 0) {
      fmt::print("  infinite  {} elements are finite in one run only\n", first.kinds);
    }
    fmt::print("  worst     element {}: {:.6g} in a, {:.6g} in b, {} ULP\n", first.worst,
               first.worst_a, first.worst_b, UlpText(first));
    for (const inspect::OperandRange& operand : comparison_.operands) {
      fmt::print("  operand   {} {}: {:.6g} to {:.6g}, norm {:.4g}\n", operand.id,
                 mil::ToString(operand.type), operand.stats.min, operand.stats.max,
                 operand.stats.norm);
    }
    for (const std::string& reason : comparison_.reasons) fmt::print("  because   {}\n", reason);
    const auto others =
        std::count_if(comparison_.values.begin(), comparison_.values.end(),
                      [](const ComparedValue& value) { return value.parting != Parting::kNone; });
    if (others > 1) {
      fmt::print("{} later value{}, too.\n", others - 1, others == 2 ? " parts" : "s part");
    }
  }

  const MilRunFlags& flags_;
  const mil::Function& function_;
  std::string_view other_;
  const inspect::Comparison& comparison_;
  inspect::SourceLines lines_;
};

}  // namespace

Result<bool> CompareRuns(const MilRunFlags& flags, const MilRun& run, device::Device& device,
                         Precision precision) {
  const auto other = OtherPrecision(flags.compare);
  if (!other) return other.error();
  const auto a = inspect::ValuesOf({device, run.program, run.weights, run.inputs}, precision);
  if (!a) return a.error().In(flags.file);
  const auto evaluator = device::Evaluator::Create(run.function(), run.weights, Numerics(*other));
  if (!evaluator) return evaluator.error().In(flags.file);
  const auto b = inspect::EvaluatorValues(*evaluator, run.inputs);
  if (!b) return b.error().In(flags.file);
  const bool compiled = device.name() != "reference";
  const auto comparison = inspect::Compare({.evaluator = *evaluator,
                                            .a = *a,
                                            .b = *b,
                                            .arithmetic_a = {precision, compiled},
                                            .arithmetic_b = {*other, false}});
  if (!comparison) return comparison.error().In(flags.file);
  const CompareReport report(flags, run, *other, *comparison);
  flags.json ? report.PrintJson() : report.PrintText();
  return comparison->first.has_value();
}

}  // namespace millwright::app
