#include "checkpoint/whole_file.h"

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "base/folder.h"

namespace millwright::checkpoint {
namespace {

Status WriteAndSync(const std::string& path, const std::function<Status(FileWriter& file)>& write) {
  auto file = FileWriter::Create(path);
  if (!file) return file.error();
  if (auto status = write(*file); !status) return status;
  const auto digest = file->Finish();
  return digest ? Status() : Status(digest.error());
}

}  // namespace

Status WriteWholeFile(const std::string& path, uint64_t bytes,
                      const std::function<Status(FileWriter& file)>& write) {
  const std::string parent = ParentFolder(path);
  if (auto status = CheckFreeSpace(parent, bytes); !status) return status;
  const std::string temporary = path + ".tmp";
  auto status = WriteAndSync(temporary, write);
  if (status && std::rename(temporary.c_str(), path.c_str()) != 0) {
    status = Failed("{}: cannot be written: {}", path, std::strerror(errno));
  }
  if (status) return SyncFolder(parent);
  std::remove(temporary.c_str());
  return status;
}

}  // namespace millwright::checkpoint
