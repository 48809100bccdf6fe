#include "base/wire_view.h"

#include <gmock/gmock.h>

#include <cstring>
#include <limits>

#include "base/wire_message.h"

namespace millwright {
namespace {

using ::testing::ElementsAre;

TEST(WireViewTest, ReadsWhatWasWritten) {
  const WireMessage inner = WireMessage().Text(1, "in").Integer(2, -1);
  const std::string bytes = WireMessage()
                                .Integer(1, std::numeric_limits<int64_t>::min())
                                .Text(15, "text")
                                .Float(3, 1.5F)
                                .Double(4, -2.5)
                                .Message(502, inner)
                                .Doubles(7, {0.25, 3})
                                .Integers(8, {0, 300, -7})
                                .bytes();
  const auto view = WireView::Parse(bytes);
  ASSERT_TRUE(view);
  EXPECT_EQ(view->Integer(1), std::numeric_limits<int64_t>::min());
  EXPECT_EQ(view->Text(15), "text");
  EXPECT_EQ(view->Integer(2), std::nullopt);
  EXPECT_EQ(view->Text(2), std::nullopt);
  EXPECT_THAT(*view->Integers(8), ElementsAre(0, 300, -7));
  float single = 0;
  std::memcpy(&single, view->Fixed(3, 4)->data(), sizeof(single));
  EXPECT_EQ(single, 1.5F);
  ASSERT_EQ(view->Fixed(7, 8)->size(), 16u);
  double second = 0;
  std::memcpy(&second, view->Fixed(7, 8)->data() + 8, sizeof(second));
  EXPECT_EQ(second, 3);
  const auto nested = WireView::Parse(*view->Text(502));
  ASSERT_TRUE(nested);
  EXPECT_EQ(nested->Text(1), "in");
  EXPECT_EQ(nested->Integer(2), -1);
}

// The encoding guide's own example: field 1, varint 150.
TEST(WireViewTest, KnowsThePublishedBytes) {
  EXPECT_EQ(WireMessage().Integer(1, 150).bytes(), "\x08\x96\x01");
  EXPECT_EQ(WireView::Parse("\x08\x96\x01")->Integer(1), 150);
}

TEST(WireViewTest, TheLastValueCountsAndRepeatedOnesKeepTheirOrder) {
  const std::string bytes = WireMessage()
                                .Integer(1, 5)
                                .Text(2, "a")
                                .Integers(1, {8, 9})
                                .Integer(1, 6)
                                .Text(2, "b")
                                .bytes();
  const auto view = WireView::Parse(bytes);
  ASSERT_TRUE(view);
  EXPECT_EQ(view->Integer(1), 6);
  EXPECT_EQ(view->Text(2), "b");
  EXPECT_THAT(view->Texts(2), ElementsAre("a", "b"));
  EXPECT_THAT(*view->Integers(1), ElementsAre(5, 8, 9, 6));
}

TEST(WireViewTest, RefusesWhatIsMalformed) {
  using namespace std::string_view_literals;
  for (const std::string_view bytes :
       {"\x08"sv, "\x08\x80"sv, "\x0A\x02x"sv, "\x0D\x01\x02\x03"sv, "\x09\x01"sv, "\x00\x01"sv,
        "\x0B\x0C"sv, "\x0E\x01"sv, "\x08\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01"sv,
        "\x0A\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01"sv}) {
    EXPECT_FALSE(WireView::Parse(bytes)) << bytes.size();
  }
  EXPECT_TRUE(WireView::Parse(""));
  // Packed numbers are looked at when they are asked for.
  const std::string packed = WireMessage().Text(1, "\x80").Text(2, "abc").bytes();
  const auto view = WireView::Parse(packed);
  ASSERT_TRUE(view);
  EXPECT_FALSE(view->Integers(1));
  EXPECT_FALSE(view->Fixed(2, 4));
}

}  // namespace
}  // namespace millwright
