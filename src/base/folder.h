// Folders that appear whole or not at all.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "base/result.h"

namespace millwright {

// A folder under construction: `path`.tmp, which Commit renames to `path`. Destroyed before that,
// it is removed with all it holds, and what was at `path` stays.
class FolderWriter {
 public:
  // Removes a stale `path`.tmp and creates an empty one. The parent folder must exist.
  static Result<FolderWriter> Create(const std::string& path);

  FolderWriter(FolderWriter&& other) noexcept;
  FolderWriter& operator=(FolderWriter&&) = delete;
  ~FolderWriter();

  // Where to write `name`, and where it will be.
  std::string File(const std::string& name) const;

  // Syncs the folder, puts it in place of `path` and syncs the parent. A folder that is already
  // there is exchanged in one step where the system can do that; elsewhere it is `path`.previous
  // for a moment.
  Status Commit();

 private:
  explicit FolderWriter(std::string path) : path_(std::move(path)) {}

  std::string path_;  // empty: nothing to remove
};

// The folder that `path` lies in.
std::string ParentFolder(const std::string& path);

/// Whether there is something at `path`; false too where that cannot be seen.
bool Exists(const std::filesystem::path& path);

// Bad input, in the name of `flag`, unless `dir` can be written as a new folder: it does not exist
// and its parent does, or it is an empty folder.
Status RequireNewOrEmpty(std::string_view flag, const std::string& dir);

// fsync of a folder: makes the names in it durable.
Status SyncFolder(const std::string& path);

// Removes a folder (or file) with all it holds; nothing there is fine.
Status RemoveAll(const std::string& path);

// Fails, naming both numbers, unless the disk that holds the existing folder `path` has `bytes`
// free.
Status CheckFreeSpace(const std::string& path, uint64_t bytes);

}  // namespace millwright
