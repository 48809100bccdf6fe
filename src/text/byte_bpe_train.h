// Learns a byte-level BPE from text.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "text/byte_bpe.h"

namespace millwright::text {

// Ids: the special tokens in their order, the 256 bytes, then merges, most frequent pair first
// (ties: the smaller left id, then the smaller right id), counted over the distinct words of
// `text`. Special tokens in the text separate words and are not counted. Stops at `vocab_size`
// tokens, or earlier when no pair occurs twice. The result depends on the arguments only. Fails if
// `vocab_size` is below 256 + special tokens. Source: Sennrich et al., "Neural machine translation
// of rare words with subword units", ACL 2016, on bytes.
Result<ByteBpe> TrainByteBpe(std::string_view text, int vocab_size,
                             std::span<const std::string_view> special);

}  // namespace millwright::text
