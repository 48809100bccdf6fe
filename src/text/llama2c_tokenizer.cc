#include "text/llama2c_tokenizer.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <queue>
#include <tuple>

#include "base/atomic_file.h"
#include "base/read_file.h"
#include "text/piece_text.h"
#include "text/wordwise_encoder.h"

namespace millwright::text {
namespace {

static_assert(std::endian::native == std::endian::little, "files are read in place");

template <class T>
T ReadAt(std::string_view bytes, size_t offset) {
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof(T));
  return value;
}

template <class T>
void AppendTo(std::string& bytes, T value) {
  char raw[sizeof(T)];
  std::memcpy(raw, &value, sizeof(T));
  bytes.append(raw, sizeof(T));
}

std::string ByteName(int byte) { return fmt::format("<0x{:02X}>", byte); }

// The bytes of the character at the front of `text`: one, and the UTF-8 continuation bytes after
// it, at most four in all. Source: encode() in llama2.c's run.c.
size_t CharacterLength(std::string_view text) {
  size_t length = 1;
  while (length < 4 && length < text.size() &&
         (static_cast<unsigned char>(text[length]) & 0xC0u) == 0x80u) {
    ++length;
  }
  return length;
}

}  // namespace

// Encodes one text or word. Symbols are spans of it, linked left to right.
class Llama2cTokenizer::Merger {
 public:
  // `dummy_prefix`: the text begins with the dummy space.
  Merger(const Llama2cTokenizer& tokenizer, std::string_view text, bool dummy_prefix)
      : tokenizer_(tokenizer), text_(text), dummy_prefix_(dummy_prefix) {}

  void Run(std::vector<TokenId>& ids) {
    Split();
    for (size_t i = 0; i + 1 < symbols_.size(); ++i) Consider(static_cast<int32_t>(i));
    while (!candidates_.empty()) {
      const Candidate best = candidates_.top();
      candidates_.pop();
      Apply(best);
    }
    for (size_t i = 0; i < symbols_.size();) {
      ids.push_back(symbols_[i].id);
      if (symbols_[i].next < 0) break;
      i = static_cast<size_t>(symbols_[i].next);
    }
  }

 private:
  struct Symbol {
    size_t begin;
    uint32_t length;
    TokenId id;  // -1 once merged into its left neighbour
    int32_t previous;
    int32_t next;
  };
  struct Candidate {
    float score;
    int32_t at;  // the left symbol
    TokenId left, right, result;
    bool operator<(const Candidate& other) const {
      return score != other.score ? score < other.score : at > other.at;
    }
  };

  void Add(size_t begin, size_t length, TokenId id) {
    const auto at = static_cast<int32_t>(symbols_.size());
    symbols_.push_back({begin, static_cast<uint32_t>(length), id, at - 1, at + 1});
  }

  void Split() {
    for (size_t begin = 0; begin < text_.size();) {
      // The dummy space is a character of its own, whatever bytes come after it.
      const auto character = text_.substr(
          begin, begin == 0 && dummy_prefix_ ? 1 : CharacterLength(text_.substr(begin)));
      const auto piece = tokenizer_.ids_.find(character);
      if (piece != tokenizer_.ids_.end()) {
        Add(begin, character.size(), piece->second);
      } else {
        for (size_t i = 0; i < character.size(); ++i) {
          Add(begin + i, 1, kFirstByte + static_cast<unsigned char>(character[i]));
        }
      }
      begin += character.size();
    }
    if (!symbols_.empty()) symbols_.back().next = -1;
  }

  void Consider(int32_t at) {
    if (at < 0) return;
    const Symbol& left = symbols_[static_cast<size_t>(at)];
    if (left.next < 0) return;
    const Symbol& right = symbols_[static_cast<size_t>(left.next)];
    // A byte's text is its name, which is never a part of a piece.
    if (IsByte(left.id) || IsByte(right.id)) return;
    const auto joined = text_.substr(left.begin, left.length + right.length);
    const auto piece = tokenizer_.ids_.find(joined);
    if (piece == tokenizer_.ids_.end()) return;
    const float score = tokenizer_.pieces_[static_cast<size_t>(piece->second)].score;
    candidates_.push({score, at, left.id, right.id, piece->second});
  }

  void Apply(const Candidate& merge) {
    Symbol& left = symbols_[static_cast<size_t>(merge.at)];
    // Stale if either symbol has been merged since.
    if (left.id != merge.left || left.next < 0) return;
    Symbol& right = symbols_[static_cast<size_t>(left.next)];
    if (right.id != merge.right) return;
    left.id = merge.result;
    left.length += right.length;
    right.id = -1;
    left.next = right.next;
    if (left.next >= 0) symbols_[static_cast<size_t>(left.next)].previous = merge.at;
    Consider(left.previous);
    Consider(merge.at);
  }

  static bool IsByte(TokenId id) { return id >= kFirstByte && id < kFirstPiece; }

  const Llama2cTokenizer& tokenizer_;
  std::string_view text_;
  bool dummy_prefix_;
  std::vector<Symbol> symbols_;
  std::priority_queue<Candidate> candidates_;
};

Result<Llama2cTokenizer> Llama2cTokenizer::Open(const std::string& path, int64_t vocab_size) {
  const auto bytes = ReadFile(path);
  if (!bytes) return bytes.error();
  return Parse(*bytes, path, vocab_size);
}

Result<Llama2cTokenizer> Llama2cTokenizer::Parse(std::string_view bytes, std::string_view name,
                                                 int64_t vocab_size) {
  Llama2cTokenizer tokenizer;
  if (auto status = tokenizer.Read(bytes); !status) return status.error().In(name);
  if (auto status = tokenizer.CheckControlPieces(); !status) return status.error().In(name);
  if (vocab_size != 0 && tokenizer.vocab_size() != vocab_size) {
    return BadInput("{}: holds {} pieces, but the vocabulary has {}", name, tokenizer.vocab_size(),
                    vocab_size);
  }
  tokenizer.Index();
  return tokenizer;
}

Status Llama2cTokenizer::Read(std::string_view bytes) {
  constexpr size_t kHeader = sizeof(uint32_t);
  constexpr size_t kPieceHeader = sizeof(float) + sizeof(uint32_t);
  if (bytes.size() < kHeader) {
    return BadInput("a tokenizer.bin begins with 4 bytes, found {}", bytes.size());
  }
  max_length_ = ReadAt<uint32_t>(bytes, 0);
  for (size_t offset = kHeader; offset < bytes.size();) {
    const size_t id = pieces_.size();
    if (bytes.size() - offset < kPieceHeader) {
      return BadInput("truncated in piece {}: {} bytes at offset {}, expected {}", id,
                      bytes.size() - offset, offset, kPieceHeader);
    }
    const auto score = ReadAt<float>(bytes, offset);
    const auto length = ReadAt<uint32_t>(bytes, offset + sizeof(float));
    if (std::isnan(score)) return BadInput("piece {}: its score is not a number", id);
    // The header's maximum is of pieces alone; "\n</s>\n" of a small vocabulary may be longer.
    if (length == 0 || (id >= kFirstPiece && length > max_length_)) {
      return BadInput("piece {}: expected 1 to {} bytes, found {}", id, max_length_, length);
    }
    offset += kPieceHeader;
    if (bytes.size() - offset < length) {
      return BadInput("truncated in piece {}: {} bytes at offset {}, expected {}", id,
                      bytes.size() - offset, offset, length);
    }
    pieces_.push_back({score, std::string(bytes.substr(offset, length)), {}});
    offset += length;
  }
  return {};
}

Status Llama2cTokenizer::CheckControlPieces() const {
  if (vocab_size() < kFirstPiece) {
    return BadInput("expected {} or more pieces (3 control pieces and 256 bytes), found {}",
                    kFirstPiece, vocab_size());
  }
  for (int byte = 0; byte < 256; ++byte) {
    const int piece = kFirstByte + byte;
    const auto& stored = pieces_[static_cast<size_t>(piece)].stored;
    if (stored != ByteName(byte)) {
      return BadInput("piece {}: expected {}, found \"{}\"", piece, ByteName(byte), stored);
    }
  }
  return {};
}

void Llama2cTokenizer::Index() {
  for (size_t i = 0; i < pieces_.size(); ++i) {
    const auto id = static_cast<TokenId>(i);
    if (id < kFirstByte) continue;
    if (id < kFirstPiece) {
      pieces_[i].bytes.assign(1, static_cast<char>(id - kFirstByte));
      continue;
    }
    pieces_[i].bytes = pieces_[i].stored;
    ids_.try_emplace(pieces_[i].bytes, id);
    joints_.AddPiece(pieces_[i].bytes);
  }
}

std::vector<TokenId> Llama2cTokenizer::Encode(std::string_view text) const {
  if (text.empty()) return {};
  std::string with_prefix(1, ' ');
  with_prefix.append(text);
  std::vector<TokenId> ids;
  Merger(*this, with_prefix, true).Run(ids);
  return ids;
}

std::unique_ptr<Encoder> Llama2cTokenizer::NewEncoder(SpecialText) const {
  return std::make_unique<WordwiseEncoder>(
      joints_, true,
      [this](std::string_view word, bool first, std::vector<TokenId>& ids) -> Status {
        Merger(*this, word, first).Run(ids);
        return {};
      });
}

std::string Llama2cTokenizer::Decode(std::span<const TokenId> ids) const {
  return JoinPieces(*this, ids);
}

std::string_view Llama2cTokenizer::Piece(TokenId id) const {
  if (id < 0 || id >= vocab_size()) return {};
  return pieces_[static_cast<size_t>(id)].bytes;
}

std::string Llama2cTokenizer::Serialize() const {
  std::string bytes;
  AppendTo(bytes, max_length_);
  for (const auto& piece : pieces_) {
    AppendTo(bytes, piece.score);
    AppendTo(bytes, static_cast<uint32_t>(piece.stored.size()));
    bytes.append(piece.stored);
  }
  return bytes;
}

Status Llama2cTokenizer::Save(const std::string& folder) const {
  return WriteFileAtomically((std::filesystem::path(folder) / "tokenizer.bin").string(),
                             Serialize());
}

}  // namespace millwright::text
