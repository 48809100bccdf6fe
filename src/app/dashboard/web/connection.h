// One connection, from its request to its end. Nothing here waits.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "app/dashboard/web/descriptor.h"
#include "app/dashboard/web/message_log.h"
#include "app/dashboard/web/router.h"

namespace millwright::app::web {

using Clock = std::chrono::steady_clock;

class Connection {
 public:
  // How long each state may last; kStreaming has no end, but each message must be taken in time.
  static constexpr std::chrono::seconds kReadingTime{10};
  static constexpr std::chrono::seconds kWritingTime{30};
  static constexpr std::chrono::seconds kDrainingTime{2};
  // A quiet stream says so often, so that both sides notice when the other is gone.
  static constexpr std::chrono::seconds kQuietTime{15};

  Connection(Descriptor socket, Clock::time_point now)
      : socket_(std::move(socket)), deadline_(now + kReadingTime) {}

  int fd() const { return socket_.get(); }
  bool closed() const { return state_ == State::kClosed; }
  // What poll() should wait for.
  int16_t Wanted() const;

  // Reads what is there. Once the whole head of a request has come that is not refused, returns it
  // for the router; Respond must follow.
  std::optional<std::string> Read(Clock::time_point now);
  void Respond(Answer answer, const MessageLog& log, Clock::time_point now);
  // Writes what the other side takes.
  void Write(const MessageLog& log, Clock::time_point now);
  // For all, after each wait: goes on with messages that have come, ends what took too long.
  void Tick(const MessageLog& log, Clock::time_point now);
  // Sends a last response and closes: the server ends, or is too busy.
  void Refuse(int status, Clock::time_point now);

 private:
  enum class State : uint8_t { kReading, kAnswering, kWriting, kStreaming, kDraining, kClosed };

  void Send(std::string bytes, State state, Clock::time_point now);
  void Discard();
  bool TakeMessage(const MessageLog& log, Clock::time_point now);
  bool WriteOnce(Clock::time_point now);
  void Written(Clock::time_point now);

  Descriptor socket_;
  State state_ = State::kReading;
  Clock::time_point deadline_;  // of the state; in kStreaming: of what is being sent
  Clock::time_point quiet_until_;
  std::string head_;           // what was read
  MessageLog::Bytes out_;      // what is being sent; null: nothing
  size_t sent_ = 0;            // bytes of it
  uint64_t next_message_ = 0;  // in kStreaming
};

}  // namespace millwright::app::web
