#include "base/output_file.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace millwright {
std::string OutputFile::TemporaryPath() const {
  return fmt::format("{}.{}.tmp", path_, ::getpid());
}

Result<OutputFile> OutputFile::Create(const std::string& path) {
  OutputFile file(path);
  file.file_.reset(std::fopen(file.TemporaryPath().c_str(), "wbe"));
  if (file.file_ == nullptr)
    return BadInput("{}: cannot be created: {}", path, std::strerror(errno));
  return file;
}

OutputFile::~OutputFile() {
  if (file_ != nullptr) ::unlink(TemporaryPath().c_str());
}

Status OutputFile::Write(std::string_view bytes) {
  if (std::fwrite(bytes.data(), 1, bytes.size(), file_.get()) == bytes.size()) return {};
  return Failed("{}: cannot be written: {}", path_, std::strerror(errno));
}

Status OutputFile::Sync() {
  if (std::fflush(file_.get()) == 0 && ::fsync(::fileno(file_.get())) == 0) return {};
  return Failed("{}: cannot be written: {}", path_, std::strerror(errno));
}

Status OutputFile::Finish() {
  if (auto status = Sync(); !status) return status;
  if (std::rename(TemporaryPath().c_str(), path_.c_str()) != 0) {
    return Failed("{}: cannot be written: {}", path_, std::strerror(errno));
  }
  file_.reset();
  return {};
}

}  // namespace millwright
