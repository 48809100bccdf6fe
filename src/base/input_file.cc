#include "base/input_file.h"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

namespace millwright {
namespace {

constexpr size_t kBlock = size_t{1} << 20;

}  // namespace

Result<InputFile> InputFile::Open(const std::string& path) {
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (!std::filesystem::exists(status)) return BadInput("{}: no such file", path);
  if (std::filesystem::is_directory(status)) return BadInput("{}: is a folder", path);
  InputFile input(path);
  input.file_.reset(std::fopen(path.c_str(), "rbe"));
  if (input.file_ == nullptr)
    return BadInput("{}: cannot be opened: {}", path, std::strerror(errno));
  std::setvbuf(input.file_.get(), nullptr, _IONBF, 0);
  if (std::filesystem::is_regular_file(status)) {
    const auto size = std::filesystem::file_size(path, error);
    if (!error) input.size_ = static_cast<int64_t>(size);
  }
  input.buffer_.resize(kBlock);
  return input;
}

Result<std::string_view> InputFile::Read() {
  const size_t count = std::fread(buffer_.data(), 1, buffer_.size(), file_.get());
  if (std::ferror(file_.get()) != 0)
    return Failed("{}: cannot be read: {}", path_, std::strerror(errno));
  return std::string_view(buffer_.data(), count);
}

}  // namespace millwright
