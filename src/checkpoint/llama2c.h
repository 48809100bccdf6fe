// Models as llama2.c's .bin files; llama2c_layout.h describes them.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>

#include "base/mapped_file.h"
#include "base/result.h"
#include "checkpoint/hf_folder.h"
#include "checkpoint/llama2c_layout.h"
#include "model/config.h"
#include "model/tensors.h"

namespace millwright::checkpoint {

// True for the magic of version 1 and later, and for a header of version 0 whose sizes are possible
// and fit a file of about that length. Version 0 has no magic: Llama2cFile::Open is exact.
bool LooksLikeLlama2c(std::span<const std::byte> bytes);

// A file opened for reading.
class Llama2cFile {
 public:
  // Bad input, by file and reason: another version, impossible sizes, a file that is not exactly as
  // long as its header says.
  static Result<Llama2cFile> Open(const std::string& path);

  const Llama2cFormat& format() const { return format_; }

  // Interleaved rotary, theta 10000, eps 1e-5, no QK-norm.
  const model::ModelConfig& config() const { return config_; }

  // Reads a tensor of TensorTable(config()); of version 2, integers times their scales. Bad input,
  // by tensor: values that are not finite.
  Status Read(const model::TensorSpec& spec, std::span<float> out) const;

 private:
  Llama2cFile() = default;

  std::string path_;
  std::shared_ptr<const MappedFile> file_;
  Llama2cFormat format_;
  model::ModelConfig config_;
  std::map<std::string, uint64_t, std::less<>> offsets_;  // by tensor
};

// The format of `version` for a config: version 2 takes the largest group, up to 64, that divides
// the rows of every matrix, as runq.c needs.
Llama2cFormat Llama2cFormatFor(const model::ModelConfig& config, int version);

// Writes version 0, 1 or 2 as `path`.tmp, synced and renamed over `path`. Rotary weights are
// permuted exactly to the interleaved layout. Bad input, by field, for networks that run.c does not
// compute: QK-norm, heads * head_dim other than dim, rope_theta other than 10000, rms_norm_eps
// other than 1e-5.
Status WriteLlama2c(const std::string& path, const model::ModelConfig& config, int version,
                    const TensorSource& source);

}  // namespace millwright::checkpoint
