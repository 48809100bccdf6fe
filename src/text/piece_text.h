// Decoding, as tokenizers with a dummy prefix do it.
#pragma once

#include <span>
#include <string>

#include "text/tokenizer.h"

namespace millwright::text {

// The pieces of `ids` one after the other, without the space that a dummy prefix put at the start
// and after BOS.
inline std::string JoinPieces(const Tokenizer& tokenizer, std::span<const TokenId> ids) {
  std::string text;
  bool at_start = true;
  for (TokenId id : ids) {
    std::string_view piece = tokenizer.Piece(id);
    if (at_start && piece.starts_with(' ')) piece.remove_prefix(1);
    text.append(piece);
    at_start = id == tokenizer.bos();
  }
  return text;
}

}  // namespace millwright::text
