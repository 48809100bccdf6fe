// What a folder holds, to see that nothing in it has changed.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "checkpoint/test_folder.h"

namespace millwright::testing {

// Every file below `folder` and its bytes; folders with "/" behind their name.
inline std::map<std::string, std::string> ContentsOf(const std::string& folder) {
  std::map<std::string, std::string> contents;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    const std::string name = std::filesystem::relative(entry.path(), folder).string();
    if (entry.is_directory()) {
      contents[name + "/"];
    } else {
      contents[name] = checkpoint::ReadBytes(entry.path().string());
    }
  }
  return contents;
}

}  // namespace millwright::testing
