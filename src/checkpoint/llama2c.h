// Models as llama2.c's .bin files; llama2c_layout.h describes them.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>

#include "base/mapped_file.h"
#include "base/result.h"
#include "model/config.h"
#include "model/tensors.h"

namespace millwright::checkpoint {

// True for the magic of version 1 and later, and for a header of version 0 whose sizes are possible
// and fit a file of about that length. Version 0 has no magic: Llama2cFile::Open is exact.
bool LooksLikeLlama2c(std::span<const std::byte> bytes);

// A file of version 0 or 1 opened for reading.
class Llama2cFile {
 public:
  // Bad input, by file and reason: another version, impossible sizes, a file that is not exactly as
  // long as its header says.
  static Result<Llama2cFile> Open(const std::string& path);

  int version() const { return version_; }

  // Interleaved rotary, theta 10000, eps 1e-5, no QK-norm.
  const model::ModelConfig& config() const { return config_; }

  // Reads a tensor of TensorTable(config()).
  Status Read(const model::TensorSpec& spec, std::span<float> out) const;

 private:
  Llama2cFile() = default;

  std::string path_;
  std::shared_ptr<const MappedFile> file_;
  int version_ = 0;
  model::ModelConfig config_;
  std::map<std::string, uint64_t, std::less<>> offsets_;  // by tensor
};

}  // namespace millwright::checkpoint
