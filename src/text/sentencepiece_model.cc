#include "text/sentencepiece_model.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <cstring>
#include <optional>
#include <unordered_map>

namespace millwright::text {
namespace {

using Piece = SentencePieceModel::Piece;
using Type = SentencePieceModel::Type;

// One field of a message: a number (wire types 0 and 5) or bytes (wire type 2).
struct WireField {
  uint64_t number = 0;
  bool is_bytes = false;
  uint64_t value = 0;
  std::string_view bytes;
};

// Reads the fields of one message in order.
class WireReader {
 public:
  explicit WireReader(std::string_view bytes) : bytes_(bytes) {}

  bool AtEnd() const { return at_ == bytes_.size(); }

  // The next field; nothing if the bytes are not one.
  std::optional<WireField> Next() {
    const auto key = Varint();
    if (!key) return std::nullopt;
    WireField field = {.number = *key >> 3};
    switch (*key & 7) {
      case 0: {
        const auto value = Varint();
        if (!value) return std::nullopt;
        field.value = *value;
        return field;
      }
      case 1:
        return Fixed(field, 8);
      case 2: {
        const auto size = Varint();
        if (!size || *size > bytes_.size() - at_) return std::nullopt;
        field.is_bytes = true;
        field.bytes = bytes_.substr(at_, *size);
        at_ += *size;
        return field;
      }
      case 5:
        return Fixed(field, 4);
      default:
        return std::nullopt;
    }
  }

 private:
  std::optional<uint64_t> Varint() {
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64 && at_ < bytes_.size(); shift += 7) {
      const auto byte = static_cast<unsigned char>(bytes_[at_++]);
      value |= uint64_t{byte & 0x7Fu} << shift;
      if (byte < 0x80) return value;
    }
    return std::nullopt;
  }

  std::optional<WireField> Fixed(WireField field, size_t size) {
    if (size > bytes_.size() - at_) return std::nullopt;
    std::memcpy(&field.value, bytes_.data() + at_, size);
    at_ += size;
    return field;
  }

  std::string_view bytes_;
  size_t at_ = 0;
};

// Calls `visit` with every field of a message.
template <class Visit>
Status ForEachField(std::string_view message, const char* what, const Visit& visit) {
  WireReader reader(message);
  while (!reader.AtEnd()) {
    const auto field = reader.Next();
    if (!field) return BadInput("{}: truncated, or not a SentencePiece model", what);
    if (Status status = visit(*field); !status) return status;
  }
  return {};
}

Result<Piece> ParsePiece(std::string_view message, size_t id) {
  Piece piece;
  const std::string what = fmt::format("piece {}", id);
  auto status = ForEachField(message, what.c_str(), [&](const WireField& field) -> Status {
    if (field.number == 1) piece.text = field.bytes;
    if (field.number == 2) {
      const auto bits = static_cast<uint32_t>(field.value);
      std::memcpy(&piece.score, &bits, sizeof(bits));
    }
    if (field.number == 3) {
      if (field.value < 1 || field.value > 6) {
        return BadInput("{}: expected a type from 1 to 6, found {}", what, field.value);
      }
      piece.type = static_cast<Type>(field.value);
    }
    return {};
  });
  if (!status) return status.error();
  if (piece.text.empty()) return BadInput("{}: is empty", what);
  if (!std::isfinite(piece.score)) return BadInput("{}: its score is not finite", what);
  return piece;
}

Status ParseTrainerSpec(std::string_view message, SentencePieceModel& model) {
  return ForEachField(message, "trainer_spec", [&](const WireField& field) -> Status {
    if (field.number == 3) {
      if (field.value < 1 || field.value > 4) {
        return BadInput("trainer_spec.model_type: expected 1 to 4, found {}", field.value);
      }
      model.algorithm = static_cast<SentencePieceModel::Algorithm>(field.value);
    }
    if (field.number == 24) model.space_is_suffix = field.value != 0;
    if (field.number == 35) model.byte_fallback = field.value != 0;
    if (field.number == 44) model.unknown_text = field.bytes;
    return {};
  });
}

Status ParseNormalizerSpec(std::string_view message, SentencePieceModel& model) {
  return ForEachField(message, "normalizer_spec", [&](const WireField& field) -> Status {
    if (field.number == 2) model.has_character_map = !field.bytes.empty();
    if (field.number == 3) model.dummy_prefix = field.value != 0;
    if (field.number == 4) model.removes_extra_spaces = field.value != 0;
    if (field.number == 5) model.escapes_spaces = field.value != 0;
    return {};
  });
}

// The byte of "<0x41>"; nothing if the text is no such name.
std::optional<int> ByteOf(std::string_view name) {
  for (int byte = 0; byte < 256; ++byte) {
    if (name == fmt::format("<0x{:02X}>", byte)) return byte;
  }
  return std::nullopt;
}

Status CheckBytePieces(const SentencePieceModel& model) {
  int count = 0;
  for (size_t id = 0; id < model.pieces.size(); ++id) {
    const Piece& piece = model.pieces[id];
    if (piece.type != Type::kByte) continue;
    if (!ByteOf(piece.text)) {
      return BadInput("piece {}: expected the name of a byte, found \"{}\"", id, piece.text);
    }
    ++count;
  }
  // Names are distinct, so that 256 of them are all.
  if (count == (model.byte_fallback ? 256 : 0)) return {};
  return BadInput("expected {} byte pieces, found {}", model.byte_fallback ? 256 : 0, count);
}

Status CheckPieces(const SentencePieceModel& model) {
  std::unordered_map<std::string_view, size_t> ids;
  size_t unknown = 0;
  for (size_t id = 0; id < model.pieces.size(); ++id) {
    const auto [known, is_new] = ids.try_emplace(model.pieces[id].text, id);
    if (!is_new) {
      return BadInput("pieces {} and {} are both \"{}\"", known->second, id, known->first);
    }
    unknown += model.pieces[id].type == Type::kUnknown ? 1 : 0;
  }
  if (unknown != 1) return BadInput("expected one unknown piece, found {}", unknown);
  return CheckBytePieces(model);
}

}  // namespace

Result<SentencePieceModel> ParseSentencePieceModel(std::string_view bytes) {
  SentencePieceModel model;
  auto status = ForEachField(bytes, "model", [&](const WireField& field) -> Status {
    if (field.number >= 1 && field.number <= 3 && !field.is_bytes) {
      return BadInput("model: field {} is not a message", field.number);
    }
    if (field.number == 2) return ParseTrainerSpec(field.bytes, model);
    if (field.number == 3) return ParseNormalizerSpec(field.bytes, model);
    if (field.number != 1) return {};
    auto piece = ParsePiece(field.bytes, model.pieces.size());
    if (!piece) return piece.error();
    model.pieces.push_back(*std::move(piece));
    return {};
  });
  if (!status) return status.error();
  if (model.pieces.empty()) return BadInput("model: there are no pieces");
  if (status = CheckPieces(model); !status) return status.error();
  return model;
}

}  // namespace millwright::text
