// A SentencePiece tokenizer.model as data.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace millwright::text {

// What we need to know of the file, which is a serialised `ModelProto`. Source: the field numbers
// of sentencepiece_model.proto, and the encoding of protocol buffers.
struct SentencePieceModel {
  enum class Type { kNormal = 1, kUnknown, kControl, kUserDefined, kUnused, kByte };
  enum class Algorithm { kUnigram = 1, kBpe, kWord, kCharacter };
  struct Piece {
    std::string text;  // with U+2581 for a space
    float score = 0;
    Type type = Type::kNormal;
  };

  std::vector<Piece> pieces;
  Algorithm algorithm = Algorithm::kUnigram;
  bool byte_fallback = false;
  bool space_is_suffix = false;
  std::string unknown_text = " \xE2\x81\x87 ";  // what <unk> decodes to
  bool has_character_map = false;               // the normalizer changes characters
  bool dummy_prefix = true;
  bool removes_extra_spaces = true;
  bool escapes_spaces = true;
};

// Reads and checks the bytes of a tokenizer.model: truncated or malformed fields, pieces that are
// empty, listed twice or of unknown type, scores that are not finite, no or several unknown pieces,
// byte pieces that are not <0x00>..<0xFF>, each once, where there is byte fallback.
Result<SentencePieceModel> ParseSentencePieceModel(std::string_view bytes);

}  // namespace millwright::text
