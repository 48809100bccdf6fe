// Comparisons of runs that are made up, so that it is known where they part.
#include "inspect/compare.h"

#include <gmock/gmock.h>

#include <limits>
#include <memory>

#include "inspect/trace.h"
#include "mil/builder.h"

namespace millwright::inspect {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

// doubled = x + x; sum = doubled + y; s = a softmax of it.
class CompareTest : public ::testing::Test {
 protected:
  static mil::Builder::Built Build() {
    mil::Builder b;
    const mil::ValueId x = b.Input("x", {DType::kFp16, {2, 4}});
    const mil::ValueId y = b.Input("y", {DType::kFp16, {2, 4}});
    const mil::ValueId sum = b.Add("sum", b.Add("doubled", x, x), y);
    const mil::ValueId s = b.Softmax("s", sum, -1);
    auto built = std::move(b).Finish({s});
    EXPECT_TRUE(built.ok()) << (built.ok() ? "" : built.error().message);
    return *std::move(built);
  }

  device::Evaluator Evaluate(Precision precision) const {
    auto evaluator =
        device::Evaluator::Create(built_.program.main(), built_.weights, Numerics(precision));
    EXPECT_TRUE(evaluator.ok());
    return *std::move(evaluator);
  }

  RunValues ValuesIn(Precision precision) const {
    const auto values = EvaluatorValues(Evaluate(precision), inputs_);
    EXPECT_TRUE(values.ok());
    return *values;
  }

  mil::ValueId Value(const std::string& id) const {
    const mil::Function& function = built_.program.main();
    for (size_t i = 0; i < function.values.size(); ++i) {
      if (function.values[i].id == id) return static_cast<mil::ValueId>(i);
    }
    ADD_FAILURE() << id;
    return 0;
  }

  // Changes element `index` of a value of a run.
  void Set(RunValues* run, const std::string& id, size_t index, double element) const {
    device::ArrayPtr& array = (*run)[static_cast<size_t>(Value(id))];
    mil::Array changed = *array;
    changed.data[index] = element;
    array = std::make_shared<const mil::Array>(std::move(changed));
  }

  Comparison Compare(const RunValues& a, const RunValues& b,
                     Precision precision = Precision::kFp16) const {
    const device::Evaluator evaluator = Evaluate(Precision::kExact);
    auto comparison = inspect::Compare({.evaluator = evaluator,
                                        .a = a,
                                        .b = b,
                                        .arithmetic_a = {precision, false},
                                        .arithmetic_b = {Precision::kExact, false}});
    EXPECT_TRUE(comparison.ok());
    // What it points to belongs to the evaluator's function, which is gone: names tell them apart.
    for (const ComparedValue& value : comparison->values) {
      ids_.push_back(built_.program.main().value(value.value).id);
    }
    return *std::move(comparison);
  }

  mil::Builder::Built built_ = Build();
  std::vector<std::vector<double>> inputs_ = {{0.1, 0.2, 0.3, 0.4, 1, 2, 3, 4},
                                              {0.5, -0.3, 0.7, 0.1, -1, -2, -1, -3}};
  mutable std::vector<std::string> ids_;
};

TEST_F(CompareTest, RoundingAloneAgrees) {
  const Comparison comparison = Compare(ValuesIn(Precision::kFp16), ValuesIn(Precision::kExact));
  EXPECT_FALSE(comparison.first.has_value());
  EXPECT_THAT(ids_, ::testing::ElementsAre("doubled", "sum", "s"));
  for (const ComparedValue& value : comparison.values) {
    EXPECT_LE(value.difference, value.bound);
    EXPECT_EQ(value.parting, Parting::kNone);
  }
  EXPECT_GT(comparison.values[1].difference, 0);
  EXPECT_LE(comparison.values[1].ulp, 2);
}

TEST_F(CompareTest, NamesTheOperationWhoseResultIsWrong) {
  RunValues a = ValuesIn(Precision::kFp16);
  Set(&a, "sum", 5, 2.25);  // 2 + 2 - 2
  const Comparison comparison = Compare(a, ValuesIn(Precision::kExact));
  ASSERT_TRUE(comparison.first.has_value());
  const ComparedValue& first = comparison.values[*comparison.first];
  EXPECT_EQ(ids_[*comparison.first], "sum");
  EXPECT_EQ(first.parting, Parting::kOwnError);
  EXPECT_EQ(first.worst, 5);
  EXPECT_EQ(first.worst_a, 2.25);
  EXPECT_EQ(first.worst_b, 2);
  EXPECT_EQ(first.ulp, 128);  // of 2^-9, fp16's step from 2 on
  EXPECT_GT(first.difference, first.bound);
  ASSERT_EQ(comparison.operands.size(), 2u);
  EXPECT_EQ(comparison.operands[0].id, "doubled");
  EXPECT_EQ(comparison.operands[0].stats.max, 8);
  EXPECT_THAT(comparison.reasons, Contains(HasSubstr("no usual cause")));
}

// A wrong operand is no fault of the operations that read it.
TEST_F(CompareTest, WhatIsInheritedIsNoError) {
  RunValues a = ValuesIn(Precision::kExact);
  for (size_t i = 0; i < 8; ++i) Set(&a, "sum", i, 0);
  for (size_t i = 0; i < 8; ++i) Set(&a, "s", i, 0.25);  // the softmax of zeros
  const Comparison comparison = Compare(a, ValuesIn(Precision::kExact), Precision::kExact);
  ASSERT_TRUE(comparison.first.has_value());
  EXPECT_EQ(ids_[*comparison.first], "sum");
  EXPECT_EQ(comparison.values[2].parting, Parting::kNone);
  EXPECT_GT(comparison.values[2].inherited, 0.1);
}

TEST_F(CompareTest, AnInfinityThatExactArithmeticHasNotIsAnError) {
  RunValues a = ValuesIn(Precision::kFp16);
  Set(&a, "doubled", 7, std::numeric_limits<double>::infinity());
  const Comparison comparison = Compare(a, ValuesIn(Precision::kExact));
  ASSERT_TRUE(comparison.first.has_value());
  EXPECT_EQ(ids_[*comparison.first], "doubled");
  EXPECT_EQ(comparison.values[0].kinds, 1);
  EXPECT_EQ(comparison.values[0].ulp, std::numeric_limits<int64_t>::max());
}

TEST_F(CompareTest, TraceTellsWhatEveryOperationMade) {
  RunValues values = ValuesIn(Precision::kFp16);
  Set(&values, "doubled", 0, 0x1p-20);
  Set(&values, "doubled", 1, 0);
  Set(&values, "sum", 2, std::nan(""));
  const device::Evaluator evaluator = Evaluate(Precision::kExact);
  const auto traced = Trace(evaluator, values);
  ASSERT_TRUE(traced.ok()) << traced.error().message;
  ASSERT_EQ(traced->size(), 3u);
  const TensorStats& doubled = (*traced)[0].stats;
  EXPECT_EQ(doubled.zeros, 1);
  EXPECT_EQ(doubled.subnormals, 1);
  EXPECT_EQ(doubled.max, 8);
  EXPECT_EQ((*traced)[1].stats.nans, 1);
  EXPECT_EQ((*traced)[2].counts.products, 0u);
}

}  // namespace
}  // namespace millwright::inspect
