// The few calls on sockets that the server makes.
#pragma once

#include <string>

#include "app/dashboard/web/descriptor.h"
#include "base/result.h"

namespace millwright::app::web {

struct Listener {
  Descriptor socket;
  std::string host;  // as it stands in an address: "127.0.0.1", "[::1]"
  int port = 0;
  bool loopback = true;  // only this machine reaches it
};

// Listens on `bind`, a name or a number, without blocking. Port 0: one that is free. Bad input if
// it cannot, with the flags' names and the system's reason.
Result<Listener> Listen(const std::string& bind, int port);

// A connection that waits, without blocking; none: there is none, or it cannot be had now.
Descriptor Accept(int listener);

// Reads and writes of `fd` return instead of waiting, and programs that are started do not get it.
void MakeNonBlocking(int fd);

}  // namespace millwright::app::web
