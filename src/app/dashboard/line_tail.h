// Following a text file that grows.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace millwright::app::dashboard {

// Keeps the last lines of a file. It may be absent, and begin anew.
class LineTail {
 public:
  explicit LineTail(std::string path, size_t most = 2000);
  ~LineTail();
  LineTail(const LineTail&) = delete;
  LineTail& operator=(const LineTail&) = delete;

  // Reads what was appended; whether lines() changed. Of a line that was written over by carriage
  // returns only the last text counts. The file stays readable after it was removed.
  bool Poll();
  // The last of them may not have ended yet.
  const std::vector<std::string>& lines() const { return lines_; }

 private:
  void Open();
  void Take(std::string_view text);

  std::string path_;
  size_t most_;
  int fd_ = -1;
  uint64_t inode_ = 0;
  int64_t offset_ = 0;
  bool open_line_ = false;  // the last of lines_ has no newline yet
  std::vector<std::string> lines_;
};

}  // namespace millwright::app::dashboard
