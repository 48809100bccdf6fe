#include "app/train_data.h"

#include "data/embedded.h"
#include "data/token_file.h"
#include "text/open_tokenizer.h"

namespace millwright::app {

Result<TrainData> OpenTrainData(const train::TrainOptions& options) {
  const data::TokenFileChecks checks = {.vocab = options.config.vocab, .seq = options.config.seq};
  TrainData data;
  if (options.data.empty()) {
    auto embedded = data::MakeEmbeddedData(options.config.vocab);
    if (!embedded) return embedded.error().In("embedded stories");
    data = {embedded->train, embedded->validation, embedded->tokenizer};
  } else {
    auto train = data::OpenTokenFile(options.data, checks);
    if (!train) return train.error().In("--data");
    data.train = std::move(*train);
    auto info = data::ReadShardInfo(options.data);
    if (info && !info->tokenizer.empty()) {
      auto tokenizer = text::OpenTokenizer(info->tokenizer);
      if (tokenizer) data.tokenizer = std::move(*tokenizer);
    }
  }
  if (!options.val.empty()) {
    auto val = data::OpenTokenFile(options.val, checks);
    if (!val) return val.error().In("--val");
    data.val = std::move(*val);
  }
  return data;
}

}  // namespace millwright::app
