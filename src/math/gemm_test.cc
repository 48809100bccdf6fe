#include "math/gemm.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>

#include "base/tolerance.h"
#include "math/gemm_library.h"
#include "math/test_gemm.h"

namespace millwright::math {
namespace {

using namespace testing;  // NOLINT: the tests' own helpers

void CheckAllKinds(GemmEngine& engine, const GemmShape& shape) {
  const GemmCase product(shape);
  const auto a = As<float>(product.a), b = As<float>(product.b);
  for (const GemmKind kind : kGemmKinds) {
    if (!engine.Has(kind)) continue;
    Guarded<float> c(As<float>(product.c), 1);
    engine.Run(shape, a.data(), b.data(), c.data(), kind);
    const Comparison comparison = product.Check(c.values());
    EXPECT_TRUE(comparison.ok) << Name(shape) << " by " << engine.Describe(shape, kind) << ": "
                               << comparison.Message();
    EXPECT_TRUE(c.Intact()) << Name(shape);
  }
}

TEST(GemmTest, AllFlagsSizesAndStridesAgreeWithTheDefinition) {
  GemmEngine engine;
  ForEachGemm([&](const GemmShape& shape) { CheckAllKinds(engine, shape); });
}

TEST(GemmTest, HighwayIsRightOnEveryInstructionSet) {
  OnEachTarget([] {
    for (int flags = 0; flags < 8; ++flags) {
      auto shape = DenseGemm(29, 37, 270, (flags & 1) != 0, (flags & 2) != 0, (flags & 4) != 0);
      shape.ldc += 2;
      const GemmCase product(shape);
      auto c = As<float>(product.c);
      HighwayGemm(shape, As<float>(product.a).data(), As<float>(product.b).data(), c.data());
      const Comparison comparison = product.Check(c);
      EXPECT_TRUE(comparison.ok) << Name(shape) << ": " << comparison.Message();
    }
  });
}

TEST(GemmTest, HighwayDoesNotDependOnThreads) {
  const auto shape = DenseGemm(90, 100, 300, false, true, true);
  const GemmCase product(shape);
  const auto a = As<float>(product.a), b = As<float>(product.b);
  auto one = As<float>(product.c), three = one;
  const int threads = GetThreads();
  SetThreads(1);
  HighwayGemm(shape, a.data(), b.data(), one.data());
  SetThreads(3);
  HighwayGemm(shape, a.data(), b.data(), three.data());
  SetThreads(threads);
  EXPECT_EQ(one, three);
}

// Products that RunAll takes, into two blocks of memory: of several shapes and flags, ours and a
// library's, sums of some that can be added to unit by unit and of some that cannot, and one that
// adds nothing.
struct ProductList {
  struct Item {
    GemmShape shape;
    size_t c;  // an offset
  };
  static constexpr size_t kNext = 100 * 130;
  std::vector<Item> items = {{DenseGemm(70, 100, 300, false, false), 0},
                             {DenseGemm(70, 100, 90, false, false, true), 0},
                             {DenseGemm(70, 100, 200, false, true, true), 0},
                             {DenseGemm(70, 100, 0, false, true, true), 0},
                             {DenseGemm(130, 80, 80, true, false), kNext},
                             {DenseGemm(130, 80, 270, true, false, true), kNext},
                             {DenseGemm(130, 80, 70, true, false, true), kNext},
                             {DenseGemm(9, 5, 30, false, false), 2 * kNext},
                             {DenseGemm(100, 130, 64, false, true, true), 3 * kNext},
                             {DenseGemm(100, 130, 256, false, true), 4 * kNext},
                             {DenseGemm(90, 100, 256, false, true), 5 * kNext}};
  std::vector<GemmCase> cases;
  std::vector<std::vector<float>> a, b;

  ProductList() {
    for (const Item& item : items) {
      cases.emplace_back(item.shape);
      a.push_back(As<float>(cases.back().a));
      b.push_back(As<float>(cases.back().b));
    }
  }

  // What all of them leave, after run(calls).
  template <class Run>
  std::vector<float> Results(const Run& run) const {
    std::vector<float> c = As<float>(Normals(static_cast<int64_t>(6 * kNext), 4));
    std::vector<GemmCall> calls;
    for (size_t i = 0; i < items.size(); ++i) {
      calls.push_back({items[i].shape, a[i].data(), b[i].data(), c.data() + items[i].c});
    }
    run(calls);
    return c;
  }
};

TEST(GemmTest, RunAllGivesTheBitsOfOneAfterTheOther) {
  const ProductList list;
  const int before = GetThreads();
  OnEachTarget([&] {
    GemmEngine engine;
    const auto expected = list.Results([&](const std::vector<GemmCall>& calls) {
      for (const GemmCall& call : calls) engine.Run(call.shape, call.a, call.b, call.c);
    });
    for (const int threads : {1, 2, 5}) {
      SetThreads(threads);
      EXPECT_EQ(list.Results([&](const auto& calls) { engine.RunAll(calls); }), expected)
          << threads << " threads, " << HighwayGemmName();
      SetThreads(before);
    }
  });
}

TEST(GemmTest, PreparedProductsServeOtherOperands) {
  GemmEngine engine;
  const auto shape = DenseGemm(8, 16, 4, false, false);
  for (int round = 0; round < 3; ++round) {
    const std::vector<float> a(32, static_cast<float>(round)), b(64, 2.0f);
    std::vector<float> c(128);
    for (const GemmKind kind : kGemmKinds) {
      engine.Run(shape, a.data(), b.data(), c.data(), kind);
      EXPECT_EQ(c, std::vector<float>(128, static_cast<float>(8 * round)));
    }
  }
}

TEST(GemmTest, EmptySums) {
  GemmEngine engine;
  auto shape = DenseGemm(2, 3, 0, false, false);
  shape.ldc = 4;
  const float* const a = nullptr;
  std::vector<float> c(8, 7.0f);
  engine.Run(shape, a, nullptr, c.data());
  EXPECT_EQ(c, (std::vector<float>{0, 0, 0, 7, 0, 0, 0, 7}));
  shape.accumulate = true;
  c.assign(8, 7.0f);
  engine.Run(shape, a, nullptr, c.data());
  EXPECT_EQ(c, std::vector<float>(8, 7.0f));
  engine.Run(DenseGemm(0, 3, 2, false, false), a, nullptr, c.data());
}

TEST(GemmTest, DoublesAreSummedInDouble) {
  GemmEngine engine;
  for (int flags = 0; flags < 8; ++flags) {
    const auto shape = DenseGemm(7, 5, 9, (flags & 1) != 0, (flags & 2) != 0, (flags & 4) != 0);
    const GemmCase product(shape);
    auto c = product.c;
    engine.Run(shape, product.a.data(), product.b.data(), c.data());
    for (size_t i = 0; i < c.size(); ++i) {
      EXPECT_NEAR(c[i], product.exact[i], DotTolerance(DType::kFp64, 10, 10, 10)) << Name(shape);
    }
  }
}

// Loops without vectors, a thousand times slower, are what a library may fall back to in silence.
TEST(GemmTest, NoModelShapeFallsBackToReferenceLoops) {
  GemmEngine engine;
  ForEachModelGemm([&](const GemmShape& shape) {
    for (const GemmKind kind : kGemmKinds) {
      EXPECT_FALSE(engine.Describe(shape, kind).starts_with("ref")) << Name(shape);
      EXPECT_FALSE(engine.Describe(shape, kind).empty()) << Name(shape);
    }
  });
}

}  // namespace
}  // namespace millwright::math
