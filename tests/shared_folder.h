// The folder of sample data that lies beside a checkout and is not part of it.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <optional>

namespace millwright {

// $MILLWRIGHT_SHARED, or ../shared from the repository's root, in which tests run; nothing if
// absent.
inline std::optional<std::filesystem::path> SharedFolder() {
  const char* named = std::getenv("MILLWRIGHT_SHARED");
  const std::filesystem::path folder = named != nullptr ? named : "../shared";
  if (!std::filesystem::is_directory(folder)) return std::nullopt;
  return folder;
}

}  // namespace millwright
