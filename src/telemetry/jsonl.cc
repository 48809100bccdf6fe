#include "telemetry/jsonl.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string_view>

namespace millwright::telemetry {

Result<std::unique_ptr<JsonlSink>> JsonlSink::Open(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (fd < 0) return Failed("{}: cannot be opened: {}", path, std::strerror(errno));
  const off_t size = ::lseek(fd, 0, SEEK_END);
  char last = '\n';
  if (size < 0 || (size > 0 && ::pread(fd, &last, 1, size - 1) != 1)) {
    const Error error = Failed("{}: cannot be read: {}", path, std::strerror(errno));
    ::close(fd);
    return error;
  }
  return std::unique_ptr<JsonlSink>(new JsonlSink(path, fd, last != '\n'));
}

JsonlSink::~JsonlSink() { ::close(fd_); }

Status JsonlSink::Write(const Event& event) {
  const std::string line = fmt::format("{}{}\n", cut_ ? "\n" : "", ToJsonLine(event));
  std::string_view rest = line;
  while (!rest.empty()) {
    const ssize_t written = ::write(fd_, rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return Failed("{}: cannot be written: {}", path_, std::strerror(errno));
    rest.remove_prefix(static_cast<size_t>(written));
    cut_ = !rest.empty();
  }
  return {};
}

}  // namespace millwright::telemetry
