#include "data/token_file.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <filesystem>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "base/mapped_file.h"
#include "base/read_file.h"
#include "data/shard_writer.h"
#include "data/token_hash.h"

namespace millwright::data {
namespace {

using nlohmann::json;

static_assert(std::endian::native == std::endian::little, "shards are read in place");

constexpr int64_t kCheckedAtOnce = 1 << 14;

std::string SidecarPath(const std::string& path) { return path + ".json"; }

// A shard in the file system's cache: pages are read when they are asked for.
class TokenFile : public TokenSource {
 public:
  TokenFile(std::string name, std::shared_ptr<const MappedFile> file, int bytes_per_token)
      : name_(std::move(name)), file_(std::move(file)), bytes_per_token_(bytes_per_token) {}

  int64_t size() const override {
    return static_cast<int64_t>(file_->bytes().size()) / bytes_per_token_;
  }
  void Copy(int64_t offset, std::span<int32_t> out) const override {
    const std::byte* from = file_->bytes().data() + offset * bytes_per_token_;
    if (bytes_per_token_ == 4) {
      if (!out.empty()) std::memcpy(out.data(), from, out.size_bytes());
      return;
    }
    for (size_t i = 0; i < out.size(); ++i) {
      uint16_t id;
      std::memcpy(&id, from + 2 * i, sizeof(id));
      out[i] = id;
    }
  }
  uint64_t hash() const override { return hash_; }
  const std::string& name() const override { return name_; }

  // Reads every token: checks ids against `vocab` (0: any that is not negative) and computes the
  // hash.
  Status Scan(int64_t vocab) {
    const auto limit =
        static_cast<uint32_t>(vocab > 0 ? vocab : std::numeric_limits<int32_t>::max());
    std::vector<int32_t> chunk(kCheckedAtOnce);
    TokenHash hash;
    for (int64_t offset = 0; offset < size(); offset += kCheckedAtOnce) {
      const auto ids = std::span(chunk).first(std::min<size_t>(kCheckedAtOnce, size() - offset));
      Copy(offset, ids);
      uint32_t largest = 0;
      for (int32_t id : ids) largest = std::max(largest, static_cast<uint32_t>(id));
      if (largest >= limit) return OutOfVocabulary(ids, offset, limit);
      hash.Add(ids);
    }
    hash_ = hash.Value();
    return {};
  }

 private:
  Error OutOfVocabulary(std::span<const int32_t> ids, int64_t offset, uint32_t limit) const {
    const auto bad = std::find_if(ids.begin(), ids.end(),
                                  [&](int32_t id) { return static_cast<uint32_t>(id) >= limit; });
    return BadInput("{}: token {} at offset {} is outside the vocabulary of {}", name_,
                    static_cast<uint32_t>(*bad), offset + (bad - ids.begin()), limit);
  }

  std::string name_;
  std::shared_ptr<const MappedFile> file_;
  int bytes_per_token_;
  uint64_t hash_ = 0;
};

// A positive integer of the sidecar, 0 where it is absent.
Result<int64_t> ReadCount(const json& root, const char* key) {
  const auto field = root.find(key);
  if (field == root.end()) return int64_t{0};
  if (!field->is_number_integer() || *field <= 0 || *field > std::numeric_limits<int64_t>::max()) {
    return BadInput("\"{}\": expected a positive integer, found {}", key, field->dump());
  }
  return field->get<int64_t>();
}

Result<ShardInfo> ParseSidecar(const json& root) {
  if (root.is_discarded()) return BadInput("not valid JSON");
  if (!root.is_object()) return BadInput("expected an object, found {}", root.type_name());
  ShardInfo info;
  if (const auto dtype = root.find("dtype"); dtype != root.end()) {
    if (*dtype != "u16" && *dtype != "u32") {
      return BadInput("\"dtype\": expected \"u16\" or \"u32\", found {}", dtype->dump());
    }
    info.bytes_per_token = *dtype == "u16" ? 2 : 4;
  }
  if (const auto tokenizer = root.find("tokenizer"); tokenizer != root.end()) {
    if (!tokenizer->is_string()) {
      return BadInput("\"tokenizer\": expected text, found {}", tokenizer->dump());
    }
    info.tokenizer = tokenizer->get<std::string>();
  }
  auto vocab = ReadCount(root, "vocab");
  if (!vocab) return vocab.error();
  info.vocab = *vocab;
  auto tokens = ReadCount(root, "tokens");
  if (!tokens) return tokens.error();
  info.tokens = *tokens;
  return info;
}

Status CheckSize(const std::string& path, int64_t bytes, const ShardInfo& info, int64_t seq) {
  if (bytes == 0) return BadInput("{}: the file is empty", path);
  if (bytes % info.bytes_per_token != 0) {
    return BadInput("{}: {} bytes are not a whole number of {}-byte tokens", path, bytes,
                    info.bytes_per_token);
  }
  const int64_t tokens = bytes / info.bytes_per_token;
  if (info.tokens != 0 && info.tokens != tokens) {
    return BadInput("{}: holds {} tokens, but {} says {}", path, tokens, SidecarPath(path),
                    info.tokens);
  }
  if (seq > 0 && tokens < seq + 2) {
    return BadInput("{}: holds {} tokens, but sequences of {} need at least {}", path, tokens, seq,
                    seq + 2);
  }
  return {};
}

}  // namespace

Result<ShardInfo> ReadShardInfo(const std::string& path) {
  const std::string sidecar = SidecarPath(path);
  std::error_code error;
  if (!std::filesystem::exists(sidecar, error)) return ShardInfo{};
  const auto text = ReadFile(sidecar);
  if (!text) return text.error();
  auto info = ParseSidecar(json::parse(*text, nullptr, /*allow_exceptions=*/false));
  if (!info) return info.error().In(sidecar);
  return info;
}

Result<std::shared_ptr<const TokenSource>> OpenTokenFile(const std::string& path,
                                                         const TokenFileChecks& checks) {
  auto mapped = MappedFile::Open(path);
  if (!mapped) return mapped.error();
  auto info = ReadShardInfo(path);
  if (!info) return info.error();
  const auto bytes = static_cast<int64_t>((*mapped)->bytes().size());
  if (auto status = CheckSize(path, bytes, *info, checks.seq); !status) return status.error();
  auto file = std::make_shared<TokenFile>(path, *std::move(mapped), info->bytes_per_token);
  if (auto status = file->Scan(checks.vocab); !status) return status.error();
  return std::shared_ptr<const TokenSource>(std::move(file));
}

Status WriteShard(const std::string& path, std::span<const int32_t> ids, ShardInfo info) {
  auto writer = ShardWriter::Create(path, std::move(info));
  if (!writer) return writer.error();
  auto status = writer->Append(ids);
  return status ? writer->Finish() : status;
}

}  // namespace millwright::data
