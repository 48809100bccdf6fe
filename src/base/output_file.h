// A file that is written from front to back and appears whole or not at all.
#pragma once

#include <cstddef>
#include <cstdio>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace millwright {

// Bytes go to a file beside `path`, named by this process so that two writers do not meet, which is
// renamed over `path` at the end, and removed if the object is destroyed before. Errors name the
// file and the system's reason.
class OutputFile {
 public:
  // Bad input: the file cannot be created.
  static Result<OutputFile> Create(const std::string& path);

  OutputFile(OutputFile&&) noexcept = default;
  OutputFile& operator=(OutputFile&&) noexcept = default;
  ~OutputFile();

  Status Write(std::string_view bytes);

  // All bytes reach the disk; the file still has its temporary name.
  Status Sync();

  // Syncs and gives the file its name.
  Status Finish();

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };

  explicit OutputFile(std::string path) : path_(std::move(path)) {}
  std::string TemporaryPath() const;

  std::string path_;
  std::unique_ptr<std::FILE, Close> file_;
};

}  // namespace millwright
