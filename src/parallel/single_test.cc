#include <gtest/gtest.h>

#include <vector>

#include "parallel/communicator.h"

namespace millwright::parallel {
namespace {

TEST(Single, IsAGroupOfOneThatSumsToItself) {
  const auto group = MakeSingle();
  EXPECT_EQ(group->rank(), 0);
  EXPECT_EQ(group->size(), 1);
  std::vector<float> floats = {1.5f, -2.0f};
  std::vector<double> doubles = {0.25};
  EXPECT_TRUE(group->AllReduceSum(std::span<float>(floats)).ok());
  EXPECT_TRUE(group->AllReduceSum(std::span<double>(doubles)).ok());
  EXPECT_TRUE(group->Barrier().ok());
  EXPECT_EQ(floats, (std::vector<float>{1.5f, -2.0f}));
  EXPECT_EQ(doubles, std::vector<double>{0.25});
}

}  // namespace
}  // namespace millwright::parallel
