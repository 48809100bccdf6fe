// Token shards: flat little-endian u16 or u32 ids, as llama2.c writes them, with an optional
// sidecar.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/result.h"
#include "data/token_source.h"

namespace millwright::data {

// What the sidecar `<file>.json` may say: {"dtype": "u16"|"u32", "tokenizer": "...", "vocab": N,
// "tokens": N}. Without one, or without "dtype", a shard is u16.
struct ShardInfo {
  int bytes_per_token = 2;  // 2 or 4
  std::string tokenizer;    // a path or name; empty if not said
  int64_t vocab = 0;        // every id is below it; 0 if not said
  int64_t tokens = 0;       // how many the shard holds; 0 if not said
};

// What OpenTokenFile holds a shard against; 0 leaves a check out.
struct TokenFileChecks {
  int64_t vocab = 0;  // ids must be below it (the model's vocabulary)
  int64_t seq = 0;    // at least seq + 2 tokens are needed
};

// Maps a shard into memory. Reads it once, to check the ids and to hash. Errors name the file:
// missing, empty, a size that is not a whole number of tokens, the first id outside the vocabulary
// with its offset, too few tokens, another number of tokens than the sidecar says, an unreadable
// sidecar.
Result<std::shared_ptr<const TokenSource>> OpenTokenFile(const std::string& path,
                                                         const TokenFileChecks& checks = {});

// What the sidecar of the shard at `path` says; the defaults if there is none.
Result<ShardInfo> ReadShardInfo(const std::string& path);

// Writes a shard and its sidecar, each whole or not at all: u16 if `info.vocab` is at most 65,536,
// else u32. `ids` must not be empty, `info.vocab` above every id; bytes_per_token and tokens are
// set here.
Status WriteShard(const std::string& path, std::span<const int32_t> ids, ShardInfo info);

}  // namespace millwright::data
