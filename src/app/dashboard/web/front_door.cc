#include "app/dashboard/web/front_door.h"

#include <poll.h>

#include <vector>

namespace millwright::app::web {
namespace {

constexpr int kLongestWaitMs = 200;
// So that those who knock do not keep those inside waiting.
constexpr int kAcceptsAtOnce = 64;
constexpr std::chrono::milliseconds kAcceptPause{200};

}  // namespace

void FrontDoor::Run(const std::atomic<bool>& stop) {
  while (!stop) Wait();
}

void FrontDoor::Wait() {
  const auto accepting = static_cast<int16_t>(Clock::now() < accept_again_ ? 0 : POLLIN);
  std::vector<pollfd> polled = {{wake_.fd(), POLLIN, 0}, {listener_.socket.get(), accepting, 0}};
  for (const auto& [id, connection] : connections_) {
    polled.push_back({connection.fd(), connection.Wanted(), 0});
  }
  if (::poll(polled.data(), static_cast<nfds_t>(polled.size()), kLongestWaitMs) < 0) return;
  wake_.Clear();
  size_t slot = 2;
  for (auto& [id, connection] : connections_) Serve(id, connection, polled[slot++].revents);
  TakeAnswers();
  const auto now = Clock::now();
  for (auto& [id, connection] : connections_) connection.Tick(log_, now);
  std::erase_if(connections_, [](const auto& entry) { return entry.second.closed(); });
  if ((polled[1].revents & POLLIN) != 0) AcceptAll();
}

void FrontDoor::Serve(uint64_t id, Connection& connection, int events) {
  const auto now = Clock::now();
  if ((events & (POLLIN | POLLHUP | POLLERR)) != 0) {
    if (auto request = connection.Read(now)) pool_.Ask(id, std::move(*request));
  }
  if ((events & POLLOUT) != 0) connection.Write(log_, now);
}

void FrontDoor::TakeAnswers() {
  const auto now = Clock::now();
  for (auto& [id, answer] : pool_.TakeAnswers()) {
    const auto found = connections_.find(id);
    if (found == connections_.end()) continue;
    found->second.Respond(std::move(answer), log_, now);
    found->second.Write(log_, now);
  }
}

void FrontDoor::AcceptAll() {
  for (int i = 0; i < kAcceptsAtOnce; ++i) {
    Descriptor socket = Accept(listener_.socket.get());
    const auto now = Clock::now();
    if (!socket) {
      // Someone knocks and cannot be let in: asking again at once would only burn time.
      if (i == 0) accept_again_ = now + kAcceptPause;
      return;
    }
    Connection connection(std::move(socket), now);
    if (connections_.size() >= kMostConnections) {
      connection.Refuse(503, now);
      connection.Write(log_, now);
      continue;
    }
    connections_.emplace(++last_id_, std::move(connection));
  }
}

}  // namespace millwright::app::web
