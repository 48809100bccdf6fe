#include "text/open_tokenizer.h"

#include <filesystem>
#include <utility>

#include "text/byte_bpe.h"
#include "text/llama2c_tokenizer.h"

namespace millwright::text {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kSupported =
    "supported are tokenizer.json (byte-level BPE, as GPT-2's) and tokenizer.bin (llama2.c)";

template <class T>
Result<std::unique_ptr<Tokenizer>> Open(const fs::path& path) {
  auto tokenizer = T::Open(path.string());
  if (!tokenizer) return tokenizer.error();
  return std::unique_ptr<Tokenizer>(std::make_unique<T>(*std::move(tokenizer)));
}

Result<std::unique_ptr<Tokenizer>> OpenFolder(const fs::path& folder) {
  std::error_code ignored;
  if (fs::exists(folder / "tokenizer.json", ignored))
    return Open<ByteBpe>(folder / "tokenizer.json");
  if (fs::exists(folder / "tokenizer.bin", ignored)) {
    return Open<Llama2cTokenizer>(folder / "tokenizer.bin");
  }
  for (const char* other : {"tokenizer.model", "vocab.json"}) {
    if (fs::exists(folder / other, ignored)) {
      return BadInput("{}: holds {}, which cannot be read yet; {}", folder.string(), other,
                      kSupported);
    }
  }
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
  if (extension == ".model") {
    return BadInput("{}: SentencePiece models cannot be read yet; {}", path, kSupported);
  }
  if (extension == ".json" && file.filename() != "vocab.json") return Open<ByteBpe>(file);
  return BadInput("{}: not a tokenizer that can be read; {}", path, kSupported);
}

}  // namespace millwright::text
