#include "app/cache_folder.h"

#include <cstdlib>
#include <utility>

namespace millwright::app {

std::filesystem::path CacheFolder() {
  const std::pair<const char*, const char*> places[] = {
      {"MILLWRIGHT_CACHE", ""}, {"XDG_CACHE_HOME", "millwright"}, {"HOME", ".cache/millwright"}};
  for (const auto& [variable, below] : places) {
    const char* folder = std::getenv(variable);
    if (folder != nullptr && *folder != '\0') return std::filesystem::path(folder) / below;
  }
  return std::filesystem::temp_directory_path() / "millwright";
}

}  // namespace millwright::app
