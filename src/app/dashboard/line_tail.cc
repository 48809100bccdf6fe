#include "app/dashboard/line_tail.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <string_view>

namespace millwright::app::dashboard {

LineTail::LineTail(std::string path, size_t most)
    : path_(std::move(path)), most_(std::max<size_t>(most, 1)) {}

LineTail::~LineTail() {
  if (fd_ >= 0) ::close(fd_);
}

// The file under the path, from its beginning where it is another one or shorter than before.
void LineTail::Open() {
  struct stat now {};
  if (::stat(path_.c_str(), &now) != 0) return;
  if (fd_ >= 0 && now.st_ino == inode_ && now.st_size >= offset_) return;
  if (fd_ >= 0) ::close(fd_);
  fd_ = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC);
  inode_ = now.st_ino;
  offset_ = 0;
  open_line_ = false;
  lines_.clear();
}

void LineTail::Take(std::string_view text) {
  while (!text.empty()) {
    const size_t newline = text.find('\n');
    if (!open_line_) lines_.emplace_back();
    std::string& line = lines_.back();
    line += text.substr(0, newline);
    const size_t back = line.find_last_of('\r', line.empty() ? 0 : line.size() - 2);
    if (back != std::string::npos && back + 1 < line.size()) line.erase(0, back + 1);
    open_line_ = newline == std::string_view::npos;
    text.remove_prefix(open_line_ ? text.size() : newline + 1);
    if (!open_line_ && line.ends_with('\r')) line.pop_back();
  }
  if (lines_.size() > most_) {
    lines_.erase(lines_.begin(), lines_.end() - static_cast<ptrdiff_t>(most_));
  }
}

bool LineTail::Poll() {
  Open();
  if (fd_ < 0) return false;
  bool changed = false;
  char bytes[1 << 16];
  for (;;) {
    const ssize_t got = ::pread(fd_, bytes, sizeof bytes, offset_);
    if (got <= 0) return changed;
    offset_ += got;
    changed = true;
    Take({bytes, static_cast<size_t>(got)});
  }
}

}  // namespace millwright::app::dashboard
