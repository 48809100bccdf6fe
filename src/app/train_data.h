// What a run reads: the token shards of the flags, or the embedded stories.
#pragma once

#include <memory>
#include <string>

#include "app/stored_model.h"
#include "base/result.h"
#include "data/token_source.h"
#include "text/tokenizer.h"
#include "train/options.h"

namespace millwright::app {

struct TrainData {
  std::shared_ptr<const data::TokenSource> train, val;  // val may be null
  std::shared_ptr<const text::Tokenizer> tokenizer;     // null where not known
};

// Opens --data and --val, token shards or text (text_data.h), checked against the config's
// vocabulary and sequence length. Without --data: the embedded stories, and their validation part
// unless --val is given. A shard whose sidecar names a tokenizer that can be opened brings it
// along. `model` is that of --from, or null. Bad input besides: no --data for a model whose
// tokenizer is not that of the embedded stories, or is not known.
Result<TrainData> OpenTrainData(const train::TrainOptions& options, const StoredModel* model);

}  // namespace millwright::app
