// A small SentencePiece model, written byte by byte, for tests.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "text/sentencepiece_model.h"

namespace millwright::text {

inline std::string Varint(uint64_t value) {
  std::string bytes;
  for (; value >= 0x80; value >>= 7) bytes += static_cast<char>(value | 0x80);
  return bytes += static_cast<char>(value);
}

inline std::string Number(uint64_t field, uint64_t value) {
  return Varint(field << 3) + Varint(value);
}

inline std::string Bytes(uint64_t field, std::string_view bytes) {
  return Varint(field << 3 | 2) + Varint(bytes.size()) + std::string(bytes);
}

inline std::string PieceBytes(std::string_view text, float score, SentencePieceModel::Type type) {
  char raw[4];
  std::memcpy(raw, &score, 4);
  return Bytes(1, Bytes(1, text) + Varint(2 << 3 | 5) + std::string(raw, 4) +
                      Number(3, static_cast<uint64_t>(type)));
}

struct SmallModel {
  std::vector<std::tuple<std::string, float, SentencePieceModel::Type>> pieces;
  std::string trainer = Number(3, 2) + Number(35, 1);  // BPE with byte fallback
  std::string normalizer = Bytes(1, "identity") + Number(3, 1) + Number(4, 0) + Number(5, 1);

  SmallModel() {
    pieces = {{"<unk>", 0, SentencePieceModel::Type::kUnknown},
              {"<s>", 0, SentencePieceModel::Type::kControl},
              {"</s>", 0, SentencePieceModel::Type::kControl}};
    for (int byte = 0; byte < 256; ++byte) {
      pieces.emplace_back(fmt::format("<0x{:02X}>", byte), 0, SentencePieceModel::Type::kByte);
    }
    for (const char* text : {"\u2581", "a", "b", "c"})
      pieces.emplace_back(text, -9, SentencePieceModel::Type::kNormal);
    pieces.emplace_back("ab", -2, SentencePieceModel::Type::kNormal);
    pieces.emplace_back("\u2581a", -3, SentencePieceModel::Type::kNormal);
  }

  std::string Serialized() const {
    std::string bytes;
    for (const auto& [text, score, type] : pieces) bytes += PieceBytes(text, score, type);
    return bytes + Bytes(2, trainer) + Bytes(3, normalizer);
  }
};

}  // namespace millwright::text
