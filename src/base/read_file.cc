#include "base/read_file.h"

#include "base/mapped_file.h"

namespace millwright {

Result<std::string> ReadFile(const std::string& path) {
  const auto file = MappedFile::Open(path);
  if (!file) return file.error();
  const auto bytes = (*file)->bytes();
  return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

}  // namespace millwright
