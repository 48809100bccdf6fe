#include "app/dashboard/web/wake_pipe.h"

#include <array>
#include <cerrno>
#include <cstring>

#include "app/dashboard/web/sockets.h"

namespace millwright::app::web {

Result<WakePipe> WakePipe::Open() {
  std::array<int, 2> ends{};
  if (::pipe(ends.data()) != 0) return Failed("--web: no pipe: {}", std::strerror(errno));
  Descriptor read(ends[0]), write(ends[1]);
  for (const int fd : ends) MakeNonBlocking(fd);
  return WakePipe(std::move(read), std::move(write));
}

void WakePipe::Wake() const {
  const char byte = 1;
  // A full pipe wakes just as well.
  [[maybe_unused]] const ssize_t ignored = ::write(write_.get(), &byte, 1);
}

void WakePipe::Clear() const {
  std::array<char, 256> bytes{};
  while (::read(read_.get(), bytes.data(), bytes.size()) > 0) {
  }
}

}  // namespace millwright::app::web
