#include "app/train_data.h"

#include "app/text_data.h"
#include "data/embedded.h"
#include "data/token_file.h"
#include "text/open_tokenizer.h"

namespace millwright::app {
namespace {

// The tokenizer that a model of --from was trained with.
Result<std::unique_ptr<text::Tokenizer>> OwnTokenizer(const StoredModel& model) {
  if (model.tokenizer_files.empty()) {
    return BadInput(
        "--data: is needed: {} has no tokenizer, so nothing says that the embedded stories' ids "
        "are its own",
        model.path);
  }
  auto tokenizer = text::OpenTokenizer(TokenizerFolder(model));
  if (!tokenizer) return tokenizer.error().In("--data: is needed, without a tokenizer of --from");
  return tokenizer;
}

// A model would take another tokenizer's ids for words that they are not.
Result<TrainData> OpenEmbedded(const train::TrainOptions& options, const StoredModel* model) {
  if (!options.tokenizer.empty()) {
    return BadInput("--tokenizer: the embedded stories have their own; --data is needed");
  }
  std::unique_ptr<text::Tokenizer> own;
  if (model != nullptr) {
    auto opened = OwnTokenizer(*model);
    if (!opened) return opened.error();
    own = std::move(*opened);
  }
  auto embedded = data::MakeEmbeddedData(options.config.vocab);
  if (!embedded) return embedded.error().In("--data: is needed; embedded stories");
  if (own != nullptr && !text::SameVocabulary(*own, *embedded->tokenizer)) {
    return BadInput(
        "--data: is needed: {} has another tokenizer ({}, {} tokens) than the embedded stories "
        "({}, {} tokens)",
        model->path, own->kind(), own->vocab_size(), embedded->tokenizer->kind(),
        embedded->tokenizer->vocab_size());
  }
  return TrainData{embedded->train, embedded->validation, embedded->tokenizer};
}

}  // namespace

Result<TrainData> OpenTrainData(const train::TrainOptions& options, const StoredModel* model) {
  TrainData data;
  if (auto status = CheckTextFlags(options); !status) return status.error();
  if (!options.tokenizer.empty()) {
    auto tokenizer = text::OpenTokenizer(options.tokenizer);
    if (!tokenizer) return tokenizer.error().In("--tokenizer");
    data.tokenizer = std::move(*tokenizer);
  }
  if (options.data.empty()) {
    auto embedded = OpenEmbedded(options, model);
    if (!embedded) return embedded.error();
    data = std::move(*embedded);
  } else {
    auto train = OpenTokens(options.data, options, data.tokenizer.get(), options.config.seq);
    if (!train) return train.error().In("--data");
    data.train = std::move(*train);
    auto info = data::ReadShardInfo(options.data);
    if (data.tokenizer == nullptr && info && !info->tokenizer.empty()) {
      auto tokenizer = text::OpenTokenizer(info->tokenizer);
      if (tokenizer) data.tokenizer = std::move(*tokenizer);
    }
  }
  if (!options.val.empty()) {
    auto val = OpenTokens(options.val, options, data.tokenizer.get(), options.config.seq);
    if (!val) return val.error().In("--val");
    data.val = std::move(*val);
  }
  return data;
}

}  // namespace millwright::app
