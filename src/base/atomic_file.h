// Files that appear whole or not at all.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace millwright {

// Writes `bytes` to `path`: into `path`.tmp, fsynced, then renamed over `path`, so that a reader or
// a crash sees the old file or the new one. Fails with the file's name and the system's reason; the
// old file then stays and the temporary one is removed.
Status WriteFileAtomically(const std::string& path, std::span<const std::byte> bytes);
Status WriteFileAtomically(const std::string& path, std::string_view text);

}  // namespace millwright
