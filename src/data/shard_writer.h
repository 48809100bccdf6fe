// Writes a token shard that is longer than memory.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "base/output_file.h"
#include "base/result.h"
#include "data/token_file.h"

namespace millwright::data {

// A shard and its sidecar, which appear when all is written, or not at all (see OutputFile).
class ShardWriter {
 public:
  // u16 if `info.vocab` is at most 65,536, else u32; bytes_per_token and tokens of `info` are set
  // here. Bad input: a vocabulary size that is not one, a folder that is not there.
  static Result<ShardWriter> Create(const std::string& path, ShardInfo info);

  // Bad input: an id outside the vocabulary, with its offset.
  Status Append(std::span<const int32_t> ids);

  // Bad input if there are no tokens.
  Status Finish();

  const ShardInfo& info() const { return info_; }

 private:
  ShardWriter(std::string path, ShardInfo info, OutputFile file)
      : path_(std::move(path)), info_(std::move(info)), file_(std::move(file)) {}

  template <class T>
  Status WriteAs(std::span<const int32_t> ids);

  std::string path_;
  ShardInfo info_;
  OutputFile file_;
  std::string bytes_;
};

}  // namespace millwright::data
