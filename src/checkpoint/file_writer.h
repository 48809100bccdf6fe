// A new file, written from front to back and checksummed on the way.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "checkpoint/hash.h"

namespace millwright::checkpoint {

// What was written.
struct FileDigest {
  uint64_t size = 0;
  uint64_t hash = 0;
};

// Errors name the file and the system's reason. A writer that is destroyed before Finish leaves an
// incomplete file behind: write into a temporary place and rename.
class FileWriter {
 public:
  static Result<FileWriter> Create(const std::string& path);

  FileWriter(FileWriter&& other) noexcept;
  FileWriter& operator=(FileWriter&& other) noexcept;
  ~FileWriter();

  Status Write(std::span<const std::byte> bytes);

  // Syncs and closes the file.
  Result<FileDigest> Finish();

  const std::string& path() const { return path_; }

 private:
  FileWriter(std::string path, int fd) : path_(std::move(path)), fd_(fd) {}
  Error SystemError(const char* what) const;

  std::string path_;
  int fd_ = -1;
  uint64_t size_ = 0;
  Hasher hasher_;
};

// A whole file at once. Fills `digest` where it is not null.
Status WriteFile(const std::string& path, std::string_view text, FileDigest* digest = nullptr);
Status WriteFile(const std::string& path, std::span<const std::byte> bytes,
                 FileDigest* digest = nullptr);

}  // namespace millwright::checkpoint
