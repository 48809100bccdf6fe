// Where the program keeps what it could make again.
#pragma once

#include <filesystem>

namespace millwright::app {

// $MILLWRIGHT_CACHE, or millwright/ in $XDG_CACHE_HOME, ~/.cache or the system's temporary folder.
// It need not exist.
std::filesystem::path CacheFolder();

}  // namespace millwright::app
