#include "math/embedding.h"

#include <gtest/gtest.h>

#include "math/test_support.h"

namespace millwright::math {
namespace {

using namespace testing;  // NOLINT: the tests' own helpers

constexpr int64_t kWords = 11;

std::vector<int32_t> Rows(int64_t seq) {
  const Rng rng(5, 1);
  std::vector<int32_t> rows;
  for (int64_t t = 0; t < seq; ++t) rows.push_back(static_cast<int32_t>(rng.Below(t, kWords)));
  return rows;
}

// Copies and additions in a stated order: floats must agree with the definition bit for bit.
TEST(EmbeddingTest, ForwardPutsRowsIntoColumns) {
  for (const int64_t seq : {1, 15, 16, 17, 100}) {
    for (const int64_t dim : {1, 16, 37, 130}) {
      const auto table = As<float>(Normals(kWords * dim, 1));
      const auto rows = Rows(seq);
      Guarded<float> x(std::vector<float>(static_cast<size_t>(dim * seq)), 1);
      EmbedForward(dim, rows, table.data(), x.data());
      for (int64_t d = 0; d < dim; ++d) {
        for (int64_t t = 0; t < seq; ++t) {
          ASSERT_EQ(x.data()[d * seq + t], table[rows[t] * dim + d]) << d << " " << t;
        }
      }
      EXPECT_TRUE(x.Intact());
    }
  }
}

TEST(EmbeddingTest, BackwardAddsRepeatedRowsInOrder) {
  for (const int64_t seq : {1, 16, 100}) {  // more positions than words: rows repeat
    for (const int64_t dim : {1, 37, 130}) {
      const auto dx = As<float>(Normals(dim * seq, 2));
      auto expected = As<float>(Normals(kWords * dim, 1));
      const auto rows = Rows(seq);
      Guarded<float> table(expected, 3);
      for (int64_t t = 0; t < seq; ++t) {
        for (int64_t d = 0; d < dim; ++d) expected[rows[t] * dim + d] += dx[d * seq + t];
      }
      EmbedBackward(dim, rows, dx.data(), table.data());
      EXPECT_EQ(table.values(), expected);
      EXPECT_TRUE(table.Intact());
    }
  }
}

TEST(EmbeddingTest, DoublesDoTheSame) {
  const auto rows = Rows(6);
  const auto table = Normals(kWords * 3, 1);
  std::vector<double> x(18), gradient(table.size());
  EmbedForward(3, rows, table.data(), x.data());
  EXPECT_EQ(x[2 * 6 + 4], table[rows[4] * 3 + 2]);
  const std::vector<double> ones(18, 1.0);
  EmbedBackward(3, rows, ones.data(), gradient.data());
  for (int32_t word = 0; word < kWords; ++word) {
    EXPECT_EQ(gradient[word * 3], std::count(rows.begin(), rows.end(), word));
  }
}

}  // namespace
}  // namespace millwright::math
