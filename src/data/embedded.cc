#include "data/embedded.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>

#include "data/stories.h"
#include "data/token_list.h"
#include "text/byte_bpe.h"
#include "text/byte_bpe_train.h"

namespace millwright::data {
namespace {

constexpr uint64_t kTrainSeed = 1;
constexpr uint64_t kValidationSeed = 2;
constexpr size_t kTrainBytes = 5'000'000;
constexpr size_t kValidationBytes = 250'000;
constexpr size_t kTokenizerBytes = 1'000'000;

// Each story after an <|endoftext|>.
std::string MakeBook(uint64_t seed, size_t bytes) {
  std::string book;
  for (const std::string& story : GenerateStories(seed, bytes)) {
    book.append(text::kEndOfText).append(story);
  }
  return book;
}

}  // namespace

Result<EmbeddedData> MakeEmbeddedData(int64_t vocab_size) {
  const std::string train = MakeBook(kTrainSeed, kTrainBytes);
  const std::string validation = MakeBook(kValidationSeed, kValidationBytes);
  constexpr std::array kSpecial = {text::kEndOfText};
  auto bpe = text::TrainByteBpe(std::string_view(train).substr(0, kTokenizerBytes),
                                static_cast<int>(std::min(vocab_size, kEmbeddedVocab)), kSpecial);
  if (!bpe) return bpe.error().In("the embedded stories");
  auto tokenizer = std::make_shared<const text::ByteBpe>(*std::move(bpe));
  EmbeddedData data;
  data.train = MakeTokenList(tokenizer->Encode(train), "embedded stories");
  data.validation = MakeTokenList(tokenizer->Encode(validation), "embedded stories (validation)");
  data.tokenizer = std::move(tokenizer);
  return data;
}

}  // namespace millwright::data
