// Whether something was left behind by a writer that writes beside and renames.
#pragma once

#include <algorithm>
#include <filesystem>
#include <string>

namespace millwright {

// Whether `folder` holds a file whose name ends in ".tmp".
inline bool HoldsTemporaryFiles(const std::string& folder) {
  return std::ranges::any_of(std::filesystem::directory_iterator(folder),
                             [](const auto& entry) { return entry.path().extension() == ".tmp"; });
}

}  // namespace millwright
