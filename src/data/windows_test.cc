#include "data/windows.h"

#include <gtest/gtest.h>

#include <set>

#include "data/token_list.h"

namespace millwright::data {
namespace {

TEST(Windows, ConsecutiveOnesDropALastShortOne) {
  EXPECT_EQ(ConsecutiveWindows(9, 4), (std::vector<EvalWindow>{{0, 4, 0}, {4, 4, 0}}));
  EXPECT_EQ(ConsecutiveWindows(8, 4), (std::vector<EvalWindow>{{0, 4, 0}}));
  EXPECT_TRUE(ConsecutiveWindows(4, 4).empty());
  EXPECT_TRUE(ConsecutiveWindows(0, 4).empty());
}

// Every token but the first is predicted once, by windows that stay inside the data, with all the
// context that fits: the whole of it, or at least seq - stride + 1 tokens.
TEST(Windows, SlidingOnesPredictEveryTokenOnce) {
  for (const int64_t seq : {1, 4, 7}) {
    for (int64_t stride = 1; stride <= seq; ++stride) {
      for (const int64_t end : {10, 11, 12, 13, 14, 33}) {
        constexpr int64_t kBegin = 9;
        std::set<int64_t> predicted;
        for (const EvalWindow& window : SlidingWindows(kBegin, end, seq, stride)) {
          EXPECT_GE(window.begin, kBegin);
          EXPECT_LT(window.begin + window.inputs, end);
          EXPECT_LE(window.inputs, seq);
          EXPECT_GT(window.predicted(), 0);
          for (int64_t t = window.first; t < window.inputs; ++t) {
            EXPECT_TRUE(predicted.insert(window.begin + t + 1).second);
            if (window.begin > kBegin) {
              EXPECT_GE(t + 1, seq - stride + 1);
            }
          }
        }
        EXPECT_EQ(static_cast<int64_t>(predicted.size()), end - kBegin - 1);
      }
    }
  }
}

TEST(Windows, DocumentsStandAlone) {
  // A tail of an earlier document, a long one, an empty one, a short one at the end.
  const auto tokens = MakeTokenList({5, 6, 1, 2, 3, 4, 5, 6, 1, 1, 7, 8}, "documents");
  EXPECT_EQ(DocumentWindows(*tokens, 1, 3, 0),
            (std::vector<EvalWindow>{{2, 3, 0}, {5, 2, 0}, {9, 2, 0}}));
  // Sliding by two: the last window of the long one sees one token more.
  EXPECT_EQ(DocumentWindows(*tokens, 1, 3, 2),
            (std::vector<EvalWindow>{{2, 3, 0}, {4, 3, 1}, {9, 2, 0}}));
  EXPECT_TRUE(DocumentWindows(*tokens, 9, 3, 0).empty());
}

// Documents are found across the chunks in which the data is read.
TEST(Windows, DocumentsMayBeginAnywhere) {
  std::vector<int32_t> ids(150000, 3);
  ids[65535] = ids[65536] = ids[131071] = 1;
  const auto tokens = MakeTokenList(ids, "long");
  int64_t predicted = 0;
  std::set<int64_t> begins;
  for (const EvalWindow& window : DocumentWindows(*tokens, 1, 1000, 0)) {
    predicted += window.predicted();
    begins.insert(window.begin);
  }
  EXPECT_EQ(*begins.begin(), 65536);  // the document at 65535 holds nothing to predict
  EXPECT_TRUE(begins.contains(131071));
  EXPECT_EQ(predicted, (131071 - 65536 - 1) + (150000 - 131071 - 1));
}

}  // namespace
}  // namespace millwright::data
