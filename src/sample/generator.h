// Text from a model, token by token.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/hf_config.h"
#include "sample/forward.h"
#include "sample/sampler.h"
#include "text/tokenizer.h"

namespace millwright::sample {

struct GenerateOptions {
  std::string prompt;
  int64_t tokens = 256;  // new tokens at most; prompt and BOS do not count
  SamplingOptions sampling;
  model::TokenIds model_tokens;  // the model's own BOS and EOS, where its config names them
};

struct Generated {
  std::vector<int32_t> context;  // BOS and prompt
  std::vector<int32_t> tokens;   // new ones, without the BOS or EOS that ended them
  bool stopped = false;          // by BOS or EOS
  double ms = 0;                 // for the new tokens
};

// Receives the text in pieces of whole characters, in order; an error ends the generation.
using TextSink = std::function<Status(std::string_view)>;

// Whether text can be generated with this tokenizer: bad input if it has more entries than the
// model has words, so that a prompt could not be looked up. One with fewer is fine: the model's
// other words are never drawn.
Status CheckVocabulary(const text::Tokenizer& tokenizer, const model::ModelConfig& config);

// Puts BOS first where the tokenizer has one, writes the prompt, then the continuation as it is
// made, until BOS, EOS or the number of tokens. Bad input: impossible options, an empty prompt
// without a BOS to start from.
Result<Generated> Generate(Forward& forward, const text::Tokenizer& tokenizer,
                           const GenerateOptions& options, const TextSink& write);

}  // namespace millwright::sample
