#include "math/gemm_table.h"

#include <gtest/gtest.h>

#include <cstring>
#include <vector>

#include "math/test_support.h"

namespace millwright::math {
namespace {

using testing::As;
using testing::Normals;

TEST(GemmTable, FindsByShapeAndRoleWhateverTheStrides) {
  GemmTable table;
  const GemmShape forward = DenseGemm(96, 64, 80, false, false);
  table.Set(GemmTable::ProductOf(forward), GemmKind::kHighway);
  GemmShape other = forward;
  other.lda += 16;
  other.accumulate = true;
  EXPECT_EQ(table.Find(forward), GemmKind::kHighway);
  EXPECT_EQ(table.Find(other), GemmKind::kHighway);
  EXPECT_EQ(table.Find(DenseGemm(96, 64, 80, true, false)), std::nullopt);
  EXPECT_EQ(table.Find(DenseGemm(96, 64, 81, false, false)), std::nullopt);
}

TEST(GemmTable, NamesAreThereAndBack) {
  for (const auto& [kind, name] : kGemmKindNames) {
    EXPECT_EQ(GemmKindFromName(name), kind);
    EXPECT_EQ(GemmKindName(kind), name);
  }
  EXPECT_EQ(GemmKindFromName("abacus"), std::nullopt);
  EXPECT_EQ(GemmKindName(GemmKind::kAuto), "");
}

// Every implementation that there is can be chosen for a shape, is what runs then, and is not what
// runs for another shape.
TEST(GemmTable, IsHonouredByTheEngine) {
  const GemmShape shape = DenseGemm(70, 66, 300, false, true, true);
  const GemmShape free_shape = DenseGemm(70, 66, 301, false, true, true);
  const auto a = As<float>(Normals(70 * 300, 1)), b = As<float>(Normals(66 * 300, 2));
  const auto start = As<float>(Normals(70 * 66, 3));
  GemmEngine fixed;
  for (const auto& [kind, name] : kGemmKindNames) {
    if (!fixed.Has(kind)) continue;
    auto table = std::make_shared<GemmTable>();
    table->Set(GemmTable::ProductOf(shape), kind);
    GemmEngine engine(table);
    EXPECT_EQ(engine.table(), *table);
    EXPECT_EQ(engine.Describe(shape), fixed.Describe(shape, kind)) << name;
    EXPECT_EQ(engine.Describe(free_shape), fixed.Describe(free_shape)) << name;
    auto expected = start, found = start;
    fixed.Run(shape, a.data(), b.data(), expected.data(), kind);
    engine.Run(shape, a.data(), b.data(), found.data());
    EXPECT_EQ(std::memcmp(expected.data(), found.data(), found.size() * sizeof(float)), 0) << name;
  }
}

TEST(GemmTable, WithoutOneTheFixedRuleHolds) {
  EXPECT_TRUE(GemmEngine().table().choices().empty());
}

}  // namespace
}  // namespace millwright::math
