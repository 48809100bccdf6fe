#include "app/dashboard/web/sockets.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>

namespace millwright::app::web {
namespace {

// Viewers that connect in one moment, as after a restart of the server.
constexpr int kBacklog = 256;

struct FreeAddresses {
  void operator()(addrinfo* list) const { ::freeaddrinfo(list); }
};

void SetOption(int fd, int level, int name) {
  const int on = 1;
  ::setsockopt(fd, level, name, &on, sizeof on);
}

int PortOf(int fd) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) return 0;
  std::array<char, NI_MAXSERV> service{};
  ::getnameinfo(reinterpret_cast<sockaddr*>(&address), size, nullptr, 0, service.data(),
                service.size(), NI_NUMERICSERV);
  return std::atoi(service.data());
}

// RFC 1122, 3.2.1.3 and RFC 4291, 2.5.3.
bool IsLoopback(const sockaddr* address) {
  if (address->sa_family == AF_INET6) {
    const in6_addr& six = reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr;
    return IN6_IS_ADDR_LOOPBACK(&six) || (IN6_IS_ADDR_V4MAPPED(&six) && six.s6_addr[12] == 127);
  }
  const in_addr& four = reinterpret_cast<const sockaddr_in*>(address)->sin_addr;
  return address->sa_family == AF_INET && ntohl(four.s_addr) >> 24 == 127;
}

}  // namespace

void MakeNonBlocking(int fd) {
  ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
  ::fcntl(fd, F_SETFD, FD_CLOEXEC);
}

Result<Listener> Listen(const std::string& bind, int port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  addrinfo* list = nullptr;
  const int code = ::getaddrinfo(bind.c_str(), std::to_string(port).c_str(), &hints, &list);
  if (code != 0) return BadInput("--bind {}: {}", bind, ::gai_strerror(code));
  const std::unique_ptr<addrinfo, FreeAddresses> addresses(list);

  int reason = 0;
  for (const addrinfo* one = list; one != nullptr; one = one->ai_next) {
    Descriptor fd(::socket(one->ai_family, one->ai_socktype, one->ai_protocol));
    if (!fd) {
      reason = errno;
      continue;
    }
    MakeNonBlocking(fd.get());
    SetOption(fd.get(), SOL_SOCKET, SO_REUSEADDR);
    if (::bind(fd.get(), one->ai_addr, one->ai_addrlen) == 0 && ::listen(fd.get(), kBacklog) == 0) {
      const int bound = PortOf(fd.get());
      const bool ipv6 = bind.find(':') != std::string::npos;
      return Listener{std::move(fd), ipv6 ? "[" + bind + "]" : bind, bound,
                      IsLoopback(one->ai_addr)};
    }
    reason = errno;
  }
  return BadInput("--bind {} --port {}: cannot be listened on: {}", bind, port,
                  std::strerror(reason));
}

Descriptor Accept(int listener) {
  Descriptor fd(::accept(listener, nullptr, nullptr));
  if (!fd) return fd;
  MakeNonBlocking(fd.get());
  SetOption(fd.get(), IPPROTO_TCP, TCP_NODELAY);
  return fd;
}

}  // namespace millwright::app::web
