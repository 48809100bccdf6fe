// Which steps of a plan are carried out at once, and that what they need is there as long.
#include <functional>

#include "device/cpu/report.h"
#include "device/cpu/test_support.h"
#include "mil/builder.h"

namespace millwright::device::cpu {
namespace {

using mil::Builder;
using mil::ValueId;

constexpr int64_t kSide = 80;  // large enough for products of our own
constexpr int64_t kColumns = 72;

// A program of weights w0, w1, ... [side, side] and x [side, columns].
struct Parts {
  Builder b;
  std::vector<ValueId> w;
  ValueId x = -1;

  explicit Parts(int weights) {
    for (int i = 0; i < weights; ++i) {
      w.push_back(b.Input("w" + std::to_string(i), {DType::kFp32, {1, 1, kSide, kSide}}));
    }
    x = b.Input("x", {DType::kFp32, {1, 1, kSide, kColumns}});
  }

  ValueId Product(const std::string& name, int weight, ValueId of) {
    return b.Matmul(name, w[static_cast<size_t>(weight)], of, false, false);
  }
};

// How many steps of a program join one before them; its results are held to the reference.
int Joined(int weights, const std::function<std::vector<ValueId>(Parts&)>& write) {
  Parts parts(weights);
  const auto outputs = write(parts);
  const auto built = std::move(parts.b).Finish(outputs);
  EXPECT_TRUE(built.ok()) << (built.ok() ? "" : built.error().message);
  ExpectLikeReference(built->program, built->weights, RandomInputs(built->program, 7), 4 * kSide);
  return Lines(Explain(built->program, built->weights), "at once with step");
}

TEST(StepsTogether, ProductsOfOneActivation) {
  EXPECT_EQ(Joined(3,
                   [](Parts& p) {
                     return std::vector{p.Product("q", 0, p.x), p.Product("k", 1, p.x),
                                        p.Product("v", 2, p.x)};
                   }),
            2);
}

TEST(StepsTogether, NotWhatReadsTheResultOfAnother) {
  EXPECT_EQ(Joined(3,
                   [](Parts& p) {
                     const ValueId first = p.Product("first", 0, p.x);
                     const ValueId second = p.Product("second", 1, first);
                     return std::vector{second, p.Product("third", 2, p.x)};
                   }),
            1);
}

TEST(StepsTogether, ProductsOfASum) {
  EXPECT_EQ(Joined(3,
                   [](Parts& p) {
                     const ValueId first =
                         p.b.Add("first", p.Product("a", 0, p.x), p.Product("b", 1, p.x));
                     return std::vector{p.b.Add("sum", first, p.Product("c", 2, p.x))};
                   }),
            2);
}

TEST(StepsTogether, NotAroundAnotherStep) {
  EXPECT_EQ(Joined(2,
                   [](Parts& p) {
                     const ValueId first = p.Product("first", 0, p.x);
                     const ValueId twice = p.b.Add("twice", first, first);
                     return std::vector{twice, p.Product("second", 1, twice)};
                   }),
            0);
}

// y1 must not be written where h0, which is read no more in the plan's order, still is read.
TEST(StepsTogether, WhatTheyReadOutlivesAllOfThem) {
  Parts p(2);
  const ValueId h0 = p.b.Add("h0", p.x, p.x);
  const ValueId h1 = p.b.Mul("h1", p.x, p.x);
  const ValueId y0 = p.Product("y0", 0, h0);
  const ValueId y1 = p.Product("y1", 1, h1);
  const auto built = std::move(p.b).Finish({p.b.Mul("y", y0, y1)});
  ASSERT_TRUE(built.ok());
  const auto inputs = RandomInputs(built->program, 7);
  ExpectLikeReference(built->program, built->weights, inputs, 4 * kSide);
  const auto report = ReportCompilation(built->program, built->weights, {});
  ASSERT_TRUE(report.ok());
  std::vector<int> products;
  for (size_t i = 0; i < report->steps.size(); ++i) {
    if (report->steps[i].text.starts_with("gemm")) products.push_back(static_cast<int>(i));
  }
  ASSERT_EQ(products.size(), 2u);
  ASSERT_EQ(products[1], products[0] + 1);
  ASSERT_EQ(report->buffers.size(), 4u);
  for (const BufferReport& buffer : report->buffers) {
    EXPECT_LE(buffer.first_step, products[0]);
    EXPECT_GE(buffer.last_step, products[1]);
  }
}

}  // namespace
}  // namespace millwright::device::cpu
