// Files that appear whole or not at all.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/result.h"
#include "checkpoint/file_writer.h"

namespace millwright::checkpoint {

// Checks that `bytes` are free on the disk, lets `write` fill `path`.tmp, syncs it and renames it
// over `path`. Where any of that fails, what was at `path` stays and no `path`.tmp does. The parent
// folder must exist.
Status WriteWholeFile(const std::string& path, uint64_t bytes,
                      const std::function<Status(FileWriter& file)>& write);

}  // namespace millwright::checkpoint
