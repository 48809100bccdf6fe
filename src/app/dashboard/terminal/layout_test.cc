#include "app/dashboard/terminal/layout.h"

#include <gtest/gtest.h>

namespace millwright::app::dashboard {
namespace {

// Every cell of the screen belongs to one panel.
TEST(Layout, PanelsCoverTheScreenWithoutOverlap) {
  for (int width = kSmallest.width; width < 260; width += 7) {
    for (int height = kSmallest.height; height < 90; ++height) {
      const Layout layout = MakeLayout({width, height});
      ASSERT_FALSE(layout.too_small);
      std::vector<int> covered(static_cast<size_t>(width * height));
      for (const Rect& rect :
           {layout.title, layout.network, layout.progress, layout.findings, layout.loss,
            layout.stats, layout.charts, layout.samples, layout.log, layout.keys}) {
        if (rect.empty()) continue;
        for (int y = rect.y; y < rect.y + rect.height; ++y) {
          for (int x = rect.x; x < rect.x + rect.width; ++x) {
            ASSERT_LT(x, width);
            ASSERT_LT(y, height);
            ++covered[static_cast<size_t>(y) * static_cast<size_t>(width) + static_cast<size_t>(x)];
          }
        }
      }
      for (const int times : covered) ASSERT_EQ(times, 1) << width << "x" << height;
    }
  }
}

TEST(Layout, PanelsHaveRoomForWhatTheyShow) {
  const Layout small = MakeLayout({80, 24});
  EXPECT_GE(small.stats.inner().height, 9);
  EXPECT_GE(small.samples.inner().height, 5);
  EXPECT_TRUE(small.charts.empty());
  EXPECT_FALSE(MakeLayout({120, 40}).charts.empty());
  EXPECT_TRUE(MakeLayout({kSmallest.width - 1, 50}).too_small);
  EXPECT_TRUE(MakeLayout({200, kSmallest.height - 1}).too_small);
}

}  // namespace
}  // namespace millwright::app::dashboard
