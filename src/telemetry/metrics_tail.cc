#include "telemetry/metrics_tail.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace millwright::telemetry {
namespace {

constexpr size_t kSeen = 64;                       // bytes by which a file is recognised
constexpr size_t kLongestLine = size_t{64} << 20;  // no event is longer

// Up to `size` bytes at `offset`; fewer at the end of the file.
Result<std::string> ReadAt(int fd, const std::string& path, int64_t offset, size_t size) {
  std::string bytes(size, '\0');
  size_t done = 0;
  while (done < size) {
    const ssize_t got =
        ::pread(fd, bytes.data() + done, size - done, offset + static_cast<int64_t>(done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Failed("{}: cannot be read: {}", path, std::strerror(errno));
    if (got == 0) break;
    done += static_cast<size_t>(got);
  }
  bytes.resize(done);
  return bytes;
}

}  // namespace

MetricsTail::MetricsTail(std::string path, size_t chunk)
    : path_(std::move(path)), chunk_(std::max(chunk, size_t{1})) {}

MetricsTail::~MetricsTail() {
  if (fd_ >= 0) ::close(fd_);
}

void MetricsTail::Restart(News& news) {
  news.restarted = true;
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
  offset_ = 0;
  seen_.clear();
  pending_.clear();
  too_long_ = false;
  first_reason_.clear();
}

// The file under the path is the one that is open, as long as it was, and where it was read last it
// still says the same.
bool MetricsTail::SameAsBefore() const {
  struct stat now {};
  if (::stat(path_.c_str(), &now) != 0) return false;
  if (static_cast<uint64_t>(now.st_dev) != device_ || now.st_ino != inode_) return false;
  if (now.st_size < offset_) return false;
  const auto again = ReadAt(fd_, path_, offset_ - static_cast<int64_t>(seen_.size()), seen_.size());
  return again && *again == seen_;
}

// Opens the file anew where it has to be; false if there is none.
bool MetricsTail::Opened(News& news) {
  if (fd_ >= 0 && !SameAsBefore()) Restart(news);
  if (fd_ >= 0) return true;
  fd_ = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat now {};
  if (fd_ < 0 || ::fstat(fd_, &now) != 0) return false;
  device_ = static_cast<uint64_t>(now.st_dev);
  inode_ = now.st_ino;
  return true;
}

Result<std::string> MetricsTail::ReadChunk() {
  auto bytes = ReadAt(fd_, path_, offset_, chunk_);
  if (!bytes) return bytes;
  offset_ += static_cast<int64_t>(bytes->size());
  seen_ += bytes->size() > kSeen ? bytes->substr(bytes->size() - kSeen) : *bytes;
  if (seen_.size() > kSeen) seen_.erase(0, seen_.size() - kSeen);
  return bytes;
}

void MetricsTail::TakeLine(std::string_view line, News& news) {
  if (line.empty()) return;
  auto event = ParseJsonLine(line);
  if (event) {
    news.events.push_back(*std::move(event));
    return;
  }
  ++news.skipped_lines;
  if (first_reason_.empty()) first_reason_ = event.error().message;
}

Result<MetricsTail::News> MetricsTail::Poll() {
  News news;
  errno = 0;
  if (!Opened(news)) {
    if (errno == ENOENT || errno == ENOTDIR || errno == 0) return news;
    return Failed("{}: cannot be opened: {}", path_, std::strerror(errno));
  }
  news.exists = true;
  auto bytes = ReadChunk();
  if (!bytes) return bytes.error();
  news.more = bytes->size() == chunk_;
  std::string_view rest = *bytes;
  while (!rest.empty()) {
    const size_t end = rest.find('\n');
    if (end == std::string_view::npos) break;
    if (pending_.empty() && !too_long_) {
      TakeLine(rest.substr(0, end), news);
    } else if (!too_long_) {
      TakeLine(pending_.append(rest.substr(0, end)), news);
    }
    pending_.clear();
    too_long_ = false;
    rest.remove_prefix(end + 1);
  }
  if (!too_long_) pending_.append(rest);
  if (pending_.size() > kLongestLine) {
    ++news.skipped_lines;
    pending_.clear();
    too_long_ = true;
  }
  return news;
}

}  // namespace millwright::telemetry
