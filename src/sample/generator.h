// Text from a model, token by token.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/hf_config.h"
#include "sample/predictor.h"
#include "sample/sampler.h"
#include "text/tokenizer.h"

namespace millwright::sample {

struct GenerateOptions {
  std::string prompt;
  int64_t tokens = 256;  // new tokens at most; prompt and BOS do not count
  SamplingOptions sampling;
  uint64_t first_draw = 0;  // the number of the sampler's first draw
  // What ends a text: the model's own BOS and EOS, where its config names them, the tokenizer's,
  // and these tokens and texts. None of them is written.
  model::TokenIds model_tokens;
  std::vector<int64_t> stop_tokens;
  std::vector<std::string> stop_texts;
};

// Sorts the values of --stop: a number is a token, everything else a text. Bad input: a number
// outside the vocabulary, an empty text.
Status AddStops(const std::vector<std::string>& values, int64_t vocab, GenerateOptions* options);

enum class TextEnd : uint8_t {
  kTokens,   // as many tokens as were asked for
  kStop,     // BOS, EOS or a stop of the options
  kContext,  // the model can see no more
};

struct Generated {
  std::vector<int32_t> context;  // what was continued: BOS and prompt
  std::vector<int32_t> tokens;   // new ones, without the BOS, EOS or stop token that ended them
  TextEnd end = TextEnd::kTokens;
  double context_ms = 0;  // until the first new token was known
  double ms = 0;          // for the others
};

// Receives the text in pieces of whole characters, in order; an error ends the generation.
using TextSink = std::function<Status(std::string_view)>;

// Whether text can be generated with this tokenizer: bad input if it has more entries than the
// model has words, so that a prompt could not be looked up. One with fewer is fine: the model's
// other words are never drawn.
Status CheckVocabulary(const text::Tokenizer& tokenizer, const model::ModelConfig& config);

// Puts BOS first where the tokenizer has one, writes the prompt, then the continuation. Bad input:
// as Continue, and an empty prompt without a BOS to start from.
Result<Generated> Generate(Predictor& predictor, const text::Tokenizer& tokenizer,
                           const GenerateOptions& options, const TextSink& write);

// Writes what follows `context` as it is made, until the text ends (see TextEnd). Bad input:
// impossible options, a context that is empty or longer than the model's.
Result<Generated> Continue(Predictor& predictor, const text::Tokenizer& tokenizer,
                           std::vector<int32_t> context, const GenerateOptions& options,
                           const TextSink& write);

}  // namespace millwright::sample
