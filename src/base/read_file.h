// The bytes of a small file.
#pragma once

#include <string>

#include "base/result.h"

namespace millwright {

// All of a regular file. Errors are those of MappedFile::Open, which is for files that are large.
Result<std::string> ReadFile(const std::string& path);

}  // namespace millwright
