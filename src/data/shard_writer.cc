#include "data/shard_writer.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>

#include "base/atomic_file.h"

namespace millwright::data {
namespace {

constexpr int64_t kLargestU16Vocab = 65536;

std::string Sidecar(const ShardInfo& info) {
  nlohmann::json sidecar = {{"dtype", info.bytes_per_token == 2 ? "u16" : "u32"},
                            {"vocab", info.vocab},
                            {"tokens", info.tokens}};
  if (!info.tokenizer.empty()) sidecar["tokenizer"] = info.tokenizer;
  return sidecar.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace

Result<ShardWriter> ShardWriter::Create(const std::string& path, ShardInfo info) {
  if (info.vocab <= 0 || info.vocab > std::numeric_limits<int32_t>::max()) {
    return BadInput("{}: vocabulary size: expected 1 to {}, found {}", path,
                    std::numeric_limits<int32_t>::max(), info.vocab);
  }
  info.bytes_per_token = info.vocab <= kLargestU16Vocab ? 2 : 4;
  info.tokens = 0;
  auto file = OutputFile::Create(path);
  if (!file) return file.error();
  return ShardWriter(path, std::move(info), *std::move(file));
}

template <class T>
Status ShardWriter::WriteAs(std::span<const int32_t> ids) {
  bytes_.resize(ids.size() * sizeof(T));
  for (size_t i = 0; i < ids.size(); ++i) {
    const auto id = static_cast<T>(ids[i]);
    std::memcpy(bytes_.data() + i * sizeof(T), &id, sizeof(T));
  }
  return file_.Write(bytes_);
}

Status ShardWriter::Append(std::span<const int32_t> ids) {
  const auto bad =
      std::find_if(ids.begin(), ids.end(), [&](int32_t id) { return id < 0 || id >= info_.vocab; });
  if (bad != ids.end()) {
    return BadInput("{}: token {} at offset {} is outside the vocabulary of {}", path_, *bad,
                    info_.tokens + (bad - ids.begin()), info_.vocab);
  }
  info_.tokens += static_cast<int64_t>(ids.size());
  return info_.bytes_per_token == 2 ? WriteAs<uint16_t>(ids) : WriteAs<uint32_t>(ids);
}

Status ShardWriter::Finish() {
  if (info_.tokens == 0) return BadInput("{}: there are no tokens to write", path_);
  if (auto status = file_.Sync(); !status) return status;
  // The sidecar first: a crash in between leaves an old shard that does not fit it, which
  // OpenTokenFile refuses, and never a shard read with the wrong width.
  auto status = WriteFileAtomically(path_ + ".json", Sidecar(info_));
  return status ? file_.Finish() : status;
}

}  // namespace millwright::data
