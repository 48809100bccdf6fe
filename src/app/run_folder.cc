#include "app/run_folder.h"

#include <unistd.h>

#include <filesystem>

#include "app/stored_model.h"
#include "base/atomic_file.h"
#include "base/folder.h"
#include "base/readable_bytes.h"
#include "checkpoint/training_state.h"

namespace millwright::app {

namespace fs = std::filesystem;

namespace {

// `dir`, or the nearest folder above it that exists.
fs::path NearestExisting(const std::string& dir) {
  std::error_code error;
  fs::path existing = fs::absolute(dir, error);
  while (!existing.empty() && !fs::exists(existing, error) && existing.has_relative_path()) {
    existing = existing.parent_path();
  }
  return existing;
}

}  // namespace

bool HoldsRun(const std::string& dir) {
  for (const char* name : {"LATEST", "metrics.jsonl", "run.json"}) {
    if (Exists(fs::path(dir) / name)) return true;
  }
  return !checkpoint::ListStates(dir).empty();
}

Status CheckFresh(const std::string& dir, bool overwrite) {
  std::error_code error;
  const fs::path existing = NearestExisting(dir);
  if (!fs::is_directory(existing, error)) {
    return BadInput("--out {}: {} is not a folder", dir, existing.string());
  }
  if (::access(existing.c_str(), W_OK | X_OK) != 0) {
    return BadInput("--out {}: {} cannot be written", dir, existing.string());
  }
  if (HoldsRun(dir) && !overwrite) {
    return BadInput("--out {}: holds a run; --resume goes on with it, --overwrite replaces it",
                    dir);
  }
  return {};
}

Status PrepareFresh(const std::string& dir) {
  auto removed = checkpoint::RemoveStates(dir);
  if (!removed) return removed;
  std::error_code error;
  std::vector<std::string> remains = TokenizerFiles(dir);
  for (const char* name :
       {"metrics.jsonl", "run.json", "model", "adapter", "tensorboard", "report.html"}) {
    remains.push_back(dir + "/" + name);
  }
  for (const std::string& path : remains) {
    fs::remove_all(path, error);
    if (error) return Failed("{}: cannot remove: {}", path, error.message());
  }
  fs::create_directories(dir, error);
  if (error) return Failed("--out {}: cannot create: {}", dir, error.message());
  return {};
}

Status CheckFreeSpace(const std::string& dir, uint64_t bytes) {
  std::error_code error;
  const fs::space_info space = fs::space(NearestExisting(dir), error);
  if (error) return Failed("{}: cannot read the free disk space: {}", dir, error.message());
  if (space.available >= bytes) return {};
  return Failed("{}: the run needs {} of disk, {} are free", dir, ReadableBytes(bytes),
                ReadableBytes(space.available));
}

Status WriteRunJson(const std::string& dir, const nlohmann::json& run) {
  return WriteFileAtomically(dir + "/run.json", run.dump(2) + "\n");
}

}  // namespace millwright::app
