#include "base/folder.h"

#include <fcntl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <utility>

#include "base/readable_bytes.h"

namespace millwright {
namespace {

namespace fs = std::filesystem;

// Exchanges two paths in one step; false, with errno, where that is not possible.
bool Exchange(const std::string& a, const std::string& b) {
#if defined(__linux__)
  return ::renameat2(AT_FDCWD, a.c_str(), AT_FDCWD, b.c_str(), RENAME_EXCHANGE) == 0;
#elif defined(__APPLE__)
  return ::renamex_np(a.c_str(), b.c_str(), RENAME_SWAP) == 0;
#else
  errno = ENOSYS;
  return false;
#endif
}

Status Rename(const std::string& from, const std::string& to) {
  if (std::rename(from.c_str(), to.c_str()) == 0) return {};
  return Failed("{}: cannot be renamed to {}: {}", from, to, std::strerror(errno));
}

// Puts `from` in the place of the existing folder `to`, which is removed.
Status Replace(const std::string& from, const std::string& to) {
  if (Exchange(from, to)) {
    if (auto status = SyncFolder(ParentFolder(to)); !status) return status;
    return RemoveAll(from);
  }
  const std::string previous = to + ".previous";
  if (auto status = RemoveAll(previous); !status) return status;
  if (auto status = Rename(to, previous); !status) return status;
  if (auto status = Rename(from, to); !status) {
    static_cast<void>(Rename(previous, to));
    return status;
  }
  if (auto status = SyncFolder(ParentFolder(to)); !status) return status;
  return RemoveAll(previous);
}

}  // namespace

Result<FolderWriter> FolderWriter::Create(const std::string& path) {
  std::string trimmed = path;
  while (trimmed.size() > 1 && trimmed.back() == '/') trimmed.pop_back();
  FolderWriter writer(std::move(trimmed));
  const std::string temporary = writer.path_ + ".tmp";
  if (auto status = RemoveAll(temporary); !status) return status.error();
  std::error_code error;
  fs::create_directory(temporary, error);
  if (error) return Failed("{}: cannot be created: {}", temporary, error.message());
  return writer;
}

FolderWriter::FolderWriter(FolderWriter&& other) noexcept
    : path_(std::exchange(other.path_, std::string())) {}

FolderWriter::~FolderWriter() {
  if (!path_.empty()) static_cast<void>(RemoveAll(path_ + ".tmp"));
}

std::string FolderWriter::File(const std::string& name) const { return path_ + ".tmp/" + name; }

Status FolderWriter::Commit() {
  const std::string temporary = path_ + ".tmp";
  if (auto status = SyncFolder(temporary); !status) return status;
  std::error_code error;
  const bool exists = fs::exists(fs::symlink_status(path_, error));
  if (exists && !fs::is_directory(path_, error)) {
    return Failed("{}: cannot be replaced by a folder: there is a file of that name", path_);
  }
  if (exists) {
    if (auto status = Replace(temporary, path_); !status) return status;
  } else {
    if (auto status = Rename(temporary, path_); !status) return status;
    if (auto status = SyncFolder(ParentFolder(path_)); !status) return status;
  }
  path_.clear();
  return {};
}

bool Exists(const std::filesystem::path& path) {
  std::error_code ignored;
  return std::filesystem::exists(path, ignored);
}

std::string ParentFolder(const std::string& path) {
  const std::string parent = fs::path(path).parent_path().string();
  return parent.empty() ? "." : parent;
}

Status RequireNewOrEmpty(std::string_view flag, const std::string& dir) {
  std::error_code error;
  const fs::file_status found = fs::status(dir, error);
  if (!fs::exists(found)) {
    const std::string parent = ParentFolder(dir);
    if (fs::is_directory(parent, error)) return {};
    return BadInput("{} {}: there is no folder {}", flag, dir, parent);
  }
  if (!fs::is_directory(found)) return BadInput("{} {}: there is a file of that name", flag, dir);
  if (!fs::is_empty(dir, error) || error) {
    return BadInput("{} {}: the folder exists and is not empty", flag, dir);
  }
  return {};
}

Status SyncFolder(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return Failed("{}: cannot be opened: {}", path, std::strerror(errno));
  const int result = ::fsync(fd);
  const int error = errno;
  ::close(fd);
  // Some network file systems cannot sync a folder and say EINVAL.
  if (result == 0 || error == EINVAL) return {};
  return Failed("{}: cannot be synced: {}", path, std::strerror(error));
}

Status RemoveAll(const std::string& path) {
  std::error_code error;
  fs::remove_all(path, error);
  if (error) return Failed("{}: cannot be removed: {}", path, error.message());
  return {};
}

Status CheckFreeSpace(const std::string& path, uint64_t bytes) {
  struct statvfs info = {};
  if (::statvfs(path.c_str(), &info) != 0) {
    return Failed("{}: free space cannot be read: {}", path, std::strerror(errno));
  }
  const uint64_t free = uint64_t{info.f_bavail} * uint64_t{info.f_frsize};
  if (free >= bytes) return {};
  return Failed("{}: not enough free space: {} needed, {} free", path, ReadableBytes(bytes),
                ReadableBytes(free));
}

}  // namespace millwright
