// The page's files, which the build puts into the program (cmake/EmbedFiles.cmake).
#pragma once

#include <span>
#include <string_view>

namespace millwright::app::web {

struct Asset {
  std::string_view name;  // "app.js"
  std::string_view bytes;
};

// All files of assets/, by name.
std::span<const Asset> Assets();

}  // namespace millwright::app::web
