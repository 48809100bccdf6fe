#include "app/dashboard/web/message_log.h"

#include <gtest/gtest.h>

namespace millwright::app::web {
namespace {

class MessageLogTest : public testing::Test {
 protected:
  WakePipe wake_ = *WakePipe::Open();
};

TEST_F(MessageLogTest, AStrangerIsGreetedAndGoesOnWithWhatFollows) {
  MessageLog log(wake_, "s");
  log.Publish("news", "1");
  ASSERT_EQ(log.Join(""), 0u);
  const auto greeting = log.Get(0);
  EXPECT_EQ(*greeting.bytes, "retry: 1000\nid: s-1\nevent: hello\ndata: {}\n\n");
  EXPECT_EQ(log.Get(greeting.after).bytes, nullptr);
  log.Publish("news", "2");
  EXPECT_EQ(*log.Get(greeting.after).bytes, "id: s-2\nevent: news\ndata: 2\n\n");
}

TEST_F(MessageLogTest, WhoComesBackMissesNothing) {
  MessageLog log(wake_, "s");
  for (int i = 0; i < 5; ++i) log.Publish("news", std::to_string(i + 1));
  const uint64_t next = log.Join("s-3");
  EXPECT_EQ(next, 4u);
  EXPECT_EQ(*log.Get(next).bytes, "id: s-4\nevent: news\ndata: 4\n\n");
  EXPECT_EQ(log.Join("s-5"), 6u);
  EXPECT_EQ(log.Join("s-0"), 1u);
}

TEST_F(MessageLogTest, WhoMissedTooMuchOrKnowsAnotherServerBeginsAnew) {
  MessageLog log(wake_, "s", 3);
  for (int i = 0; i < 10; ++i) log.Publish("news", "x");
  EXPECT_EQ(log.Join("s-7"), 8u);
  for (const char* id : {"s-6", "s-11", "t-9", "s-", "s-9x", "9", "s-99999999999999999999999"}) {
    EXPECT_EQ(log.Join(id), 0u) << id;
  }
}

TEST_F(MessageLogTest, ASlowViewerLearnsThatItLostSomething) {
  MessageLog log(wake_, "s", 100, 60);
  log.Publish("news", std::string(20, 'x'));
  const uint64_t slow = 1;
  EXPECT_FALSE(log.Get(slow).lost);
  for (int i = 0; i < 3; ++i) log.Publish("news", std::string(20, 'x'));
  EXPECT_TRUE(log.Get(slow).lost);
}

}  // namespace
}  // namespace millwright::app::web
