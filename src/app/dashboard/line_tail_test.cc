#include "app/dashboard/line_tail.h"

#include <gmock/gmock.h>

#include <fstream>

#include "checkpoint/test_folder.h"

namespace millwright::app::dashboard {
namespace {

using ::testing::ElementsAre;

class LineTailTest : public ::testing::Test {
 protected:
  void Append(const std::string& text) { std::ofstream(path_, std::ios::app) << text; }

  checkpoint::TestFolder folder_;
  std::string path_ = folder_.File("train.log");
};

TEST_F(LineTailTest, FollowsAGrowingFile) {
  LineTail tail(path_);
  EXPECT_FALSE(tail.Poll());
  Append("one\ntw");
  EXPECT_TRUE(tail.Poll());
  EXPECT_THAT(tail.lines(), ElementsAre("one", "tw"));
  EXPECT_FALSE(tail.Poll());
  Append("o\n\nthree\n");
  EXPECT_TRUE(tail.Poll());
  EXPECT_THAT(tail.lines(), ElementsAre("one", "two", "", "three"));
}

TEST_F(LineTailTest, KeepsTheLastLines) {
  LineTail tail(path_, 2);
  Append("1\n2\n3\n4");
  tail.Poll();
  EXPECT_THAT(tail.lines(), ElementsAre("3", "4"));
  Append("4\n5\n");
  tail.Poll();
  EXPECT_THAT(tail.lines(), ElementsAre("44", "5"));
}

TEST_F(LineTailTest, BeginsAnewWithTheFile) {
  LineTail tail(path_);
  Append("a long old line\n");
  tail.Poll();
  std::ofstream(path_) << "new\n";
  EXPECT_TRUE(tail.Poll());
  EXPECT_THAT(tail.lines(), ElementsAre("new"));
}

TEST_F(LineTailTest, ReadsARemovedFileToItsEnd) {
  LineTail tail(path_);
  Append("one\n");
  tail.Poll();
  Append("why it failed\n");
  std::filesystem::remove(path_);
  EXPECT_TRUE(tail.Poll());
  EXPECT_THAT(tail.lines(), ElementsAre("one", "why it failed"));
}

TEST_F(LineTailTest, CarriageReturnsWriteOver) {
  LineTail tail(path_);
  Append("10%\r20%\r30%\nnext\r\n");
  tail.Poll();
  EXPECT_THAT(tail.lines(), ElementsAre("30%", "next"));
}

}  // namespace
}  // namespace millwright::app::dashboard
