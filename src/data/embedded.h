// The data of a run that was given none.
#pragma once

#include <cstdint>
#include <memory>

#include "base/result.h"
#include "data/token_source.h"
#include "text/tokenizer.h"

namespace millwright::data {

struct EmbeddedData {
  std::shared_ptr<const text::Tokenizer> tokenizer;
  std::shared_ptr<const TokenSource> train;
  std::shared_ptr<const TokenSource> validation;
};

// The largest vocabulary that MakeEmbeddedData trains: the stories' words fill no more.
inline constexpr int64_t kEmbeddedVocab = 2048;

// About 5 MB of generated stories for training and 0.25 MB from another seed for validation, each
// story after a <|endoftext|>, in a byte-level BPE of at most `vocab_size` (and kEmbeddedVocab)
// tokens trained on the first MB. Always the same for the same vocabulary. Fails if `vocab_size` is
// below the 257 that the bytes and <|endoftext|> need.
Result<EmbeddedData> MakeEmbeddedData(int64_t vocab_size);

}  // namespace millwright::data
