#include "text/sentencepiece_tokenizer.h"

#include <sentencepiece_processor.h>

#include <charconv>
#include <exception>
#include <filesystem>

#include "base/atomic_file.h"
#include "base/read_file.h"
#include "text/piece_text.h"
#include "text/wordwise_encoder.h"

namespace millwright::text {
namespace {

using Type = SentencePieceModel::Type;
using Algorithm = SentencePieceModel::Algorithm;

// Appended to a model, it says: no dummy prefix. A protocol buffer that occurs twice is merged,
// field by field, the last one wins: field 3 (normalizer_spec) of 2 bytes, in it field 3
// (add_dummy_prefix) = 0.
constexpr std::string_view kNoDummyPrefix("\x1A\x02\x18\x00", 4);

// The words of a text can be encoded on their own if merging is all that happens to it.
bool OnlyMerges(const SentencePieceModel& model) {
  return model.algorithm == Algorithm::kBpe && model.byte_fallback && model.escapes_spaces &&
         !model.removes_extra_spaces && !model.space_is_suffix;
}

std::string WithSpaces(std::string_view piece) {
  constexpr std::string_view kMetaSpace = "\xE2\x96\x81";
  std::string text;
  while (!piece.empty()) {
    const bool space = piece.starts_with(kMetaSpace);
    text.append(space ? " " : piece.substr(0, 1));
    piece.remove_prefix(space ? kMetaSpace.size() : 1);
  }
  return text;
}

std::string TextOf(const SentencePieceModel& model, const SentencePieceModel::Piece& piece) {
  switch (piece.type) {
    case Type::kControl:
      return {};
    case Type::kUnknown:
      return model.unknown_text;
    case Type::kByte: {
      int byte = 0;  // of "<0x41>"
      std::from_chars(piece.text.data() + 3, piece.text.data() + 5, byte, 16);
      return std::string(1, static_cast<char>(byte));
    }
    default:
      return WithSpaces(piece.text);
  }
}

Status CallLibrary(const sentencepiece::SentencePieceProcessor& processor, std::string_view text,
                   std::vector<TokenId>& ids) {
  std::vector<int> found;
  const auto status = processor.Encode({text.data(), text.size()}, &found);
  if (!status.ok()) return Failed("SentencePiece: {}", status.ToString());
  ids.insert(ids.end(), found.begin(), found.end());
  return {};
}

// One call of the library for a whole text.
class WholeTextPieces : public Encoder {
 public:
  explicit WholeTextPieces(const sentencepiece::SentencePieceProcessor& processor)
      : processor_(processor) {}

  Status Add(std::string_view part, std::vector<TokenId>&) override {
    text_.append(part);
    return {};
  }
  Status Finish(std::vector<TokenId>& ids) override {
    auto status = CallLibrary(processor_, text_, ids);
    text_.clear();
    return status;
  }

 private:
  const sentencepiece::SentencePieceProcessor& processor_;
  std::string text_;
};

}  // namespace

SentencePieceTokenizer::SentencePieceTokenizer() = default;
SentencePieceTokenizer::SentencePieceTokenizer(SentencePieceTokenizer&&) noexcept = default;
SentencePieceTokenizer& SentencePieceTokenizer::operator=(SentencePieceTokenizer&&) noexcept =
    default;
SentencePieceTokenizer::~SentencePieceTokenizer() = default;

Result<SentencePieceTokenizer> SentencePieceTokenizer::Open(const std::string& path) {
  const auto bytes = ReadFile(path);
  if (!bytes) return bytes.error();
  return Parse(*bytes, path);
}

Result<SentencePieceTokenizer> SentencePieceTokenizer::Parse(std::string_view bytes,
                                                             std::string_view name) {
  SentencePieceTokenizer tokenizer;
  if (auto status = tokenizer.Load(bytes); !status) return status.error().In(name);
  return tokenizer;
}

Status SentencePieceTokenizer::Load(std::string_view bytes) {
  auto model = ParseSentencePieceModel(bytes);
  if (!model) return model.error();
  if (model->has_character_map) {
    return BadInput("normalizer_spec.precompiled_charsmap: expected none (identity), found one");
  }
  file_ = bytes;
  wordwise_ = OnlyMerges(*model);
  dummy_prefix_ = model->dummy_prefix;
  FillTexts(*model);
  processor_ = std::make_unique<sentencepiece::SentencePieceProcessor>();
  std::string as_loaded = file_;
  // Words are not texts: the first one gets its dummy prefix from us, the others get none.
  if (wordwise_) as_loaded.append(kNoDummyPrefix);
  try {
    const auto status = processor_->LoadFromSerializedProto(as_loaded);
    if (!status.ok()) return BadInput("SentencePiece: {}", status.ToString());
  } catch (const std::exception& error) {
    return BadInput("SentencePiece: {}", error.what());
  }
  if (processor_->bos_id() >= 0) bos_ = processor_->bos_id();
  if (processor_->eos_id() >= 0) eos_ = processor_->eos_id();
  return {};
}

void SentencePieceTokenizer::FillTexts(const SentencePieceModel& model) {
  for (const auto& piece : model.pieces) {
    texts_.push_back(TextOf(model, piece));
    const bool merges = piece.type == Type::kNormal || piece.type == Type::kUserDefined ||
                        piece.type == Type::kUnused;
    if (wordwise_ && merges) joints_.AddPiece(piece.text);
  }
}

std::unique_ptr<Encoder> SentencePieceTokenizer::NewEncoder(SpecialText) const {
  const sentencepiece::SentencePieceProcessor& processor = *processor_;
  if (!wordwise_) return std::make_unique<WholeTextPieces>(processor);
  return std::make_unique<WordwiseEncoder>(
      joints_, dummy_prefix_, [&processor](std::string_view word, bool, std::vector<TokenId>& ids) {
        return CallLibrary(processor, word, ids);
      });
}

std::vector<TokenId> SentencePieceTokenizer::Encode(std::string_view text) const {
  auto ids = EncodeText(*this, text);
  return ids ? *std::move(ids) : std::vector<TokenId>();
}

std::vector<TokenId> SentencePieceTokenizer::EncodeInOneCall(std::string_view text) const {
  std::string whole(wordwise_ && dummy_prefix_ && !text.empty() ? " " : "");
  whole.append(text);
  std::vector<TokenId> ids;
  return CallLibrary(*processor_, whole, ids) ? ids : std::vector<TokenId>();
}

std::string SentencePieceTokenizer::Decode(std::span<const TokenId> ids) const {
  return JoinPieces(*this, ids);
}

std::string_view SentencePieceTokenizer::Piece(TokenId id) const {
  if (id < 0 || id >= vocab_size()) return {};
  return texts_[static_cast<size_t>(id)];
}

Status SentencePieceTokenizer::Save(const std::string& folder) const {
  return WriteFileAtomically((std::filesystem::path(folder) / "tokenizer.model").string(), file_);
}

}  // namespace millwright::text
