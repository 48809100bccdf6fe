// All connections, in one thread: it waits for whichever can go on.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>

#include "app/dashboard/web/answer_pool.h"
#include "app/dashboard/web/connection.h"
#include "app/dashboard/web/message_log.h"
#include "app/dashboard/web/sockets.h"
#include "app/dashboard/web/wake_pipe.h"

namespace millwright::app::web {

// Takes connections, reads their requests, has them answered by the pool, writes the answers, and
// sends the messages of the log to those that asked for the stream. A slow or silent client costs
// memory and a descriptor, never a thread; however many look on, a message exists once.
class FrontDoor {
 public:
  // Above this many, new connections are turned away.
  static constexpr size_t kMostConnections = 600;

  FrontDoor(const Listener& listener, const WakePipe& wake, AnswerPool& pool, const MessageLog& log)
      : listener_(listener), wake_(wake), pool_(pool), log_(log) {}

  // Until `stop` is set, which it looks at a few times a second.
  void Run(const std::atomic<bool>& stop);

 private:
  void Wait();
  void AcceptAll();
  void TakeAnswers();
  void Serve(uint64_t id, Connection& connection, int events);

  const Listener& listener_;
  const WakePipe& wake_;
  AnswerPool& pool_;
  const MessageLog& log_;
  std::map<uint64_t, Connection> connections_;
  uint64_t last_id_ = 0;
  Clock::time_point accept_again_;  // descriptors had run out; waiting for some
};

}  // namespace millwright::app::web
