#include "app/dashboard/web/connection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <csignal>

#include "app/dashboard/web/request_head.h"
#include "app/dashboard/web/sockets.h"

namespace millwright::app::web {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

// A connection whose other end the test holds, with a clock of its own.
class ConnectionTest : public testing::Test {
 protected:
  ConnectionTest() {
    std::signal(SIGPIPE, SIG_IGN);
    std::array<int, 2> ends{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()), 0);
    for (const int fd : ends) MakeNonBlocking(fd);
    client_ = Descriptor(ends[0]);
    connection_.emplace(Descriptor(ends[1]), now_);
  }

  void Send(const std::string& bytes) {
    ASSERT_EQ(::send(client_.get(), bytes.data(), bytes.size(), 0),
              static_cast<ssize_t>(bytes.size()));
  }
  std::string Received() {
    std::string text(1 << 20, '\0');
    const ssize_t count = ::recv(client_.get(), text.data(), text.size(), 0);
    text.resize(count > 0 ? static_cast<size_t>(count) : 0);
    return text;
  }
  void Pass(std::chrono::seconds time) {
    now_ += time;
    connection_->Tick(log_, now_);
  }
  // To the state in which messages are sent; what came of it.
  std::string StartStream(const std::string& last_id = "") {
    Send("GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n");
    EXPECT_TRUE(connection_->Read(now_).has_value());
    connection_->Respond({.stream = true, .last_event_id = last_id}, log_, now_);
    connection_->Write(log_, now_);
    return Received();
  }

  WakePipe wake_ = *WakePipe::Open();
  MessageLog log_{wake_, "s", 1000};
  Clock::time_point now_ = Clock::now();
  Descriptor client_;
  std::optional<Connection> connection_;
};

TEST_F(ConnectionTest, ARequestInPiecesIsReadAndAnswered) {
  const std::string request = "GET /x HTTP/1.1\r\nHost: localhost\r\n\r\n";
  for (size_t i = 0; i + 1 < request.size(); ++i) {
    Send(request.substr(i, 1));
    EXPECT_FALSE(connection_->Read(now_).has_value());
  }
  Send("\n");
  EXPECT_THAT(connection_->Read(now_).value_or(""), StartsWith("GET /x HTTP/1.1\r\n"));
  connection_->Respond({.response = "answer"}, log_, now_);
  connection_->Write(log_, now_);
  EXPECT_EQ(Received(), "answer");
  EXPECT_FALSE(connection_->closed());
  client_ = Descriptor();
  connection_->Read(now_);
  EXPECT_TRUE(connection_->closed());
}

TEST_F(ConnectionTest, AHeadThatIsTooLongIsRefused) {
  Send("GET / HTTP/1.1\r\nHost: localhost\r\n");
  for (size_t sent = 0; sent <= kLongestHead; sent += 1000) {
    Send("X: " + std::string(995, 'x') + "\r\n");
    EXPECT_FALSE(connection_->Read(now_).has_value());
  }
  connection_->Write(log_, now_);
  EXPECT_THAT(Received(), StartsWith("HTTP/1.1 431 "));
}

TEST_F(ConnectionTest, ASilentClientIsClosedAndADribblingOneToldSo) {
  Pass(Connection::kReadingTime - std::chrono::seconds(1));
  EXPECT_FALSE(connection_->closed());
  Send("GET /");
  EXPECT_FALSE(connection_->Read(now_).has_value());
  Pass(std::chrono::seconds(1));
  connection_->Write(log_, now_);
  EXPECT_THAT(Received(), StartsWith("HTTP/1.1 408 "));
  Pass(Connection::kDrainingTime);
  EXPECT_TRUE(connection_->closed());
}

TEST_F(ConnectionTest, AClientThatTakesNoAnswerIsClosed) {
  Send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
  ASSERT_TRUE(connection_->Read(now_).has_value());
  connection_->Respond({.response = std::string(8 << 20, 'x')}, log_, now_);
  connection_->Write(log_, now_);
  EXPECT_EQ(connection_->Wanted(), POLLOUT);
  Pass(Connection::kWritingTime);
  EXPECT_TRUE(connection_->closed());
}

TEST_F(ConnectionTest, AStreamCarriesMessagesAsTheyCome) {
  EXPECT_THAT(StartStream(), HasSubstr("event: hello\n"));
  log_.Publish("news", "1");
  log_.Publish("news", "2");
  connection_->Tick(log_, now_);
  EXPECT_EQ(Received(), "id: s-1\nevent: news\ndata: 1\n\nid: s-2\nevent: news\ndata: 2\n\n");
}

TEST_F(ConnectionTest, AStreamGoesOnWhereItsViewerWas) {
  for (int i = 1; i <= 3; ++i) log_.Publish("news", std::to_string(i));
  const std::string text = StartStream("s-2");
  EXPECT_THAT(text, HasSubstr("id: s-3\n"));
  EXPECT_THAT(text, testing::Not(HasSubstr("hello")));
}

TEST_F(ConnectionTest, AQuietStreamSaysSoAndIsNeverTooOld) {
  StartStream();
  for (int i = 0; i < 100; ++i) {
    Pass(Connection::kQuietTime);
    EXPECT_EQ(Received(), ": quiet\n\n");
  }
  EXPECT_FALSE(connection_->closed());
}

TEST_F(ConnectionTest, AViewerThatTakesNothingIsDropped) {
  StartStream();
  const std::string message(100000, 'x');
  for (int i = 0; i < 50; ++i) {
    log_.Publish("news", message);
    connection_->Tick(log_, now_);
  }
  EXPECT_FALSE(connection_->closed());
  Pass(Connection::kWritingTime);
  EXPECT_TRUE(connection_->closed());
}

TEST_F(ConnectionTest, AViewerThatLeavesIsNoticed) {
  StartStream();
  client_ = Descriptor();
  connection_->Read(now_);
  EXPECT_TRUE(connection_->closed());
}

}  // namespace
}  // namespace millwright::app::web
