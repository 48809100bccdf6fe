#include "checkpoint/file_writer.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace millwright::checkpoint {
namespace {

// Small enough to be hashed and written while in the cache; also below the limit of one write call.
constexpr size_t kChunk = size_t{4} << 20;

}  // namespace

Result<FileWriter> FileWriter::Create(const std::string& path) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0) return Failed("{}: cannot be created: {}", path, std::strerror(errno));
  return FileWriter(path, fd);
}

FileWriter::FileWriter(FileWriter&& other) noexcept
    : path_(std::move(other.path_)),
      fd_(std::exchange(other.fd_, -1)),
      size_(other.size_),
      hasher_(std::move(other.hasher_)) {}

FileWriter& FileWriter::operator=(FileWriter&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(fd_, other.fd_);
  std::swap(size_, other.size_);
  std::swap(hasher_, other.hasher_);
  return *this;
}

FileWriter::~FileWriter() {
  if (fd_ >= 0) ::close(fd_);
}

Error FileWriter::SystemError(const char* what) const {
  return Failed("{}: cannot be {}: {}", path_, what, std::strerror(errno));
}

Status FileWriter::Write(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const auto chunk = bytes.first(std::min(bytes.size(), kChunk));
    const ssize_t written = ::write(fd_, chunk.data(), chunk.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return SystemError("written");
    const auto count = static_cast<size_t>(written);
    hasher_.Update(bytes.first(count));
    size_ += count;
    bytes = bytes.subspan(count);
  }
  return {};
}

Result<FileDigest> FileWriter::Finish() {
  if (::fsync(fd_) != 0) return SystemError("synced");
  if (::close(std::exchange(fd_, -1)) != 0) return SystemError("closed");
  return FileDigest{size_, hasher_.Digest()};
}

Status WriteFile(const std::string& path, std::string_view text, FileDigest* digest) {
  return WriteFile(path, std::as_bytes(std::span(text)), digest);
}

Status WriteFile(const std::string& path, std::span<const std::byte> bytes, FileDigest* digest) {
  auto file = FileWriter::Create(path);
  if (!file) return file.error();
  if (auto status = file->Write(bytes); !status) return status;
  const auto written = file->Finish();
  if (!written) return written.error();
  if (digest != nullptr) *digest = *written;
  return {};
}

}  // namespace millwright::checkpoint
