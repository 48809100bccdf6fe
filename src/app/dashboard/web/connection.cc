#include "app/dashboard/web/connection.h"

#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>

#include "app/dashboard/web/request_head.h"
#include "app/dashboard/web/response_headers.h"

namespace millwright::app::web {
namespace {

bool WouldWait() { return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR; }

std::string StreamHead() {
  std::string head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n";
  for (const auto& [name, value] : kResponseHeaders) {
    head += std::string(name) + ": " + value + "\r\n";
  }
  return head + "\r\n";
}

}  // namespace

int16_t Connection::Wanted() const {
  switch (state_) {
    case State::kReading:
    case State::kDraining:
      return POLLIN;
    case State::kWriting:
      return POLLOUT;
    case State::kStreaming:
      return static_cast<int16_t>(out_ ? POLLIN | POLLOUT : POLLIN);
    case State::kAnswering:
    case State::kClosed:
      break;
  }
  return 0;
}

std::optional<std::string> Connection::Read(Clock::time_point now) {
  if (state_ == State::kStreaming || state_ == State::kDraining) {
    Discard();
    return {};
  }
  if (state_ != State::kReading) return {};
  std::array<char, 4096> bytes{};
  const ssize_t count = ::recv(fd(), bytes.data(), bytes.size(), 0);
  if (count == 0 || (count < 0 && !WouldWait())) state_ = State::kClosed;
  if (count <= 0) return {};
  head_.append(bytes.data(), static_cast<size_t>(count));
  const size_t end = HeadEnd(head_);
  if (end == std::string::npos ? head_.size() > kLongestHead : end > kLongestHead) {
    Refuse(431, now);
    return {};
  }
  if (end == std::string::npos) return {};
  CheckedRequest checked = CheckRequest(std::string_view(head_).substr(0, end));
  head_ = {};
  if (checked.refused != 0) {
    Refuse(checked.refused, now);
    return {};
  }
  state_ = State::kAnswering;
  return std::move(checked.request);
}

// What comes after the request is of no interest but for its end.
void Connection::Discard() {
  std::array<char, 4096> bytes{};
  const ssize_t count = ::recv(fd(), bytes.data(), bytes.size(), 0);
  if (count == 0 || (count < 0 && !WouldWait())) state_ = State::kClosed;
}

void Connection::Respond(Answer answer, const MessageLog& log, Clock::time_point now) {
  if (!answer.stream) {
    Send(std::move(answer.response), State::kWriting, now);
    return;
  }
  next_message_ = log.Join(answer.last_event_id);
  quiet_until_ = now + kQuietTime;
  Send(StreamHead(), State::kStreaming, now);
}

void Connection::Refuse(int status, Clock::time_point now) {
  // A stream in the middle of its messages can only be ended.
  if (state_ == State::kStreaming) {
    state_ = State::kClosed;
  } else if (state_ == State::kReading || state_ == State::kAnswering) {
    Send(PlainResponse(status), State::kWriting, now);
  }
}

void Connection::Send(std::string bytes, State state, Clock::time_point now) {
  state_ = state;
  out_ = std::make_shared<const std::string>(std::move(bytes));
  sent_ = 0;
  deadline_ = now + kWritingTime;
}

bool Connection::TakeMessage(const MessageLog& log, Clock::time_point now) {
  static const auto quiet = std::make_shared<const std::string>(": quiet\n\n");
  const MessageLog::Next next = log.Get(next_message_);
  if (next.lost) {
    // It is told to begin anew when it comes back.
    state_ = State::kClosed;
    return false;
  }
  next_message_ = next.after;
  if (!next.bytes && now < quiet_until_) return false;
  out_ = next.bytes ? next.bytes : quiet;
  sent_ = 0;
  deadline_ = now + kWritingTime;
  quiet_until_ = now + kQuietTime;
  return true;
}

// False: nothing more can be written now.
bool Connection::WriteOnce(Clock::time_point now) {
  const ssize_t count = ::send(fd(), out_->data() + sent_, out_->size() - sent_, 0);
  if (count < 0 && !WouldWait()) state_ = State::kClosed;
  if (count < 0) return false;
  sent_ += static_cast<size_t>(count);
  if (sent_ == out_->size()) Written(now);
  return true;
}

void Connection::Written(Clock::time_point now) {
  out_ = nullptr;
  if (state_ != State::kWriting) return;
  // Closing with bytes unread would have the other side's system throw the response away.
  ::shutdown(fd(), SHUT_WR);
  state_ = State::kDraining;
  deadline_ = now + kDrainingTime;
}

void Connection::Write(const MessageLog& log, Clock::time_point now) {
  while (out_ && WriteOnce(now)) {
    if (state_ == State::kStreaming && !out_) TakeMessage(log, now);
  }
}

void Connection::Tick(const MessageLog& log, Clock::time_point now) {
  if (state_ == State::kStreaming && !out_ && TakeMessage(log, now)) Write(log, now);
  const bool timed = state_ != State::kAnswering && (state_ != State::kStreaming || out_);
  if (!timed || now < deadline_) return;
  if (state_ == State::kReading && !head_.empty()) {
    Refuse(408, now);
  } else {
    state_ = State::kClosed;
  }
}

}  // namespace millwright::app::web
