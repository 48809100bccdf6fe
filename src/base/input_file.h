// A file or pipe that is read from front to back.
#pragma once

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace millwright {

class InputFile {
 public:
  // Bad input: there is no such file, it is a folder, or it cannot be opened.
  static Result<InputFile> Open(const std::string& path);

  // The next bytes, valid until the next call; empty at the end.
  Result<std::string_view> Read();

  // In bytes; 0 where that is not known (a pipe).
  int64_t size() const { return size_; }

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };

  explicit InputFile(std::string path) : path_(std::move(path)) {}

  std::string path_;
  std::unique_ptr<std::FILE, Close> file_;
  std::vector<char> buffer_;
  int64_t size_ = 0;
};

}  // namespace millwright
