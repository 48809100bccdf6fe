#include "text/open_tokenizer.h"

#include <filesystem>
#include <utility>

#include "base/folder.h"
#include "text/byte_bpe.h"
#include "text/llama2c_tokenizer.h"
#include "text/sentencepiece_tokenizer.h"

namespace millwright::text {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kSupported =
    "supported are tokenizer.json or vocab.json with merges.txt (byte-level BPE), tokenizer.model "
    "(SentencePiece) and tokenizer.bin (llama2.c)";

template <class T>
Result<std::unique_ptr<Tokenizer>> Open(const fs::path& path) {
  auto tokenizer = T::Open(path.string());
  if (!tokenizer) return tokenizer.error();
  return std::unique_ptr<Tokenizer>(std::make_unique<T>(*std::move(tokenizer)));
}

// vocab.json and the files beside it.
Result<std::unique_ptr<Tokenizer>> OpenVocab(const fs::path& folder) {
  auto tokenizer = ByteBpe::OpenFolder(folder.empty() ? "." : folder.string());
  if (!tokenizer) return tokenizer.error();
  return std::unique_ptr<Tokenizer>(std::make_unique<ByteBpe>(*std::move(tokenizer)));
}

Result<std::unique_ptr<Tokenizer>> OpenFolder(const fs::path& folder) {
  // Folders of Llama hold both: the tokenizer.json beside a tokenizer.model is its translation.
  if (Exists(folder / "tokenizer.model")) {
    return Open<SentencePieceTokenizer>(folder / "tokenizer.model");
  }
  if (Exists(folder / "tokenizer.json")) {
    return Open<ByteBpe>(folder / "tokenizer.json");
  }
  if (Exists(folder / "tokenizer.bin")) {
    return Open<Llama2cTokenizer>(folder / "tokenizer.bin");
  }
  if (Exists(folder / "vocab.json")) return OpenVocab(folder);
  return BadInput("{}: holds no tokenizer; {}", folder.string(), kSupported);
}

}  // namespace

Result<std::unique_ptr<Tokenizer>> OpenTokenizer(const std::string& path) {
  const fs::path file(path);
  std::error_code error;
  const auto status = fs::status(file, error);
  if (!fs::exists(status)) return BadInput("{}: no such file or folder", path);
  if (fs::is_directory(status)) return OpenFolder(file);
  const std::string extension = file.extension().string();
  if (extension == ".bin") return Open<Llama2cTokenizer>(file);
  if (extension == ".model") return Open<SentencePieceTokenizer>(file);
  if (file.filename() == "vocab.json") return OpenVocab(file.parent_path());
  if (extension == ".json") return Open<ByteBpe>(file);
  return BadInput("{}: not a tokenizer that can be read; {}", path, kSupported);
}

}  // namespace millwright::text
