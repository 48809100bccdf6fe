// What was told to all viewers, so that each can be told it at its own pace.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "app/dashboard/web/wake_pipe.h"

namespace millwright::app::web {

// The last messages, numbered from 1, as server-sent events (WHATWG HTML, "Server-sent events").
// Each is kept once however many viewers there are, and a viewer is a number: that of the message
// it gets next. One that falls behind what is kept has lost messages and must begin anew.
// Safe from any thread.
class MessageLog {
 public:
  using Bytes = std::shared_ptr<const std::string>;

  // `wake` is woken by each message. `session` tells this server's messages from those of one
  // before it. At most `capacity` messages and about `most_bytes` are kept.
  MessageLog(const WakePipe& wake, std::string session, size_t capacity = 1024,
             size_t most_bytes = size_t{8} << 20);

  // `data` must be one line.
  void Publish(std::string_view event, std::string_view data);

  // The number of a viewer's next message. Whoever has seen the message of `last_id` and missed
  // none that is gone goes on behind it; for all others it is 0, the greeting, which tells them to
  // read everything afresh.
  uint64_t Join(std::string_view last_id) const;

  struct Next {
    Bytes bytes;         // null: there is none yet
    uint64_t after = 0;  // the number of the one behind it
    bool lost = false;   // it is not kept any more
  };
  Next Get(uint64_t number) const;

  const std::string& session() const { return session_; }

 private:
  uint64_t newest() const { return oldest_ + messages_.size() - 1; }
  std::string Format(uint64_t number, std::string_view event, std::string_view data) const;

  const WakePipe& wake_;
  const std::string session_;
  const size_t capacity_, most_bytes_;
  mutable std::mutex mutex_;
  std::deque<Bytes> messages_;
  uint64_t oldest_ = 1;  // number of messages_.front()
  size_t bytes_ = 0;
};

}  // namespace millwright::app::web
