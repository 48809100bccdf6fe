#include "sample/generator.h"

#include <algorithm>
#include <set>

#include "base/clock.h"
#include "sample/utf8_stream.h"

namespace millwright::sample {
namespace {

Result<std::vector<int32_t>> MakeContext(const text::Tokenizer& tokenizer,
                                         const std::string& prompt) {
  std::vector<int32_t> context;
  if (tokenizer.bos()) context.push_back(*tokenizer.bos());
  const std::vector<int32_t> ids = tokenizer.Encode(prompt);
  context.insert(context.end(), ids.begin(), ids.end());
  if (context.empty()) {
    return BadInput("--prompt: the tokenizer has no BOS to start from, so a prompt is needed");
  }
  return context;
}

std::set<int64_t> StopTokens(const text::Tokenizer& tokenizer, const model::TokenIds& tokens) {
  std::set<int64_t> stop;
  for (const auto& id : {tokenizer.bos(), tokenizer.eos()}) {
    if (id) stop.insert(*id);
  }
  for (const auto& id : {tokens.bos, tokens.eos}) {
    if (id) stop.insert(*id);
  }
  return stop;
}

}  // namespace

Status CheckVocabulary(const text::Tokenizer& tokenizer, const model::ModelConfig& config) {
  if (tokenizer.vocab_size() <= config.vocab) return {};
  return BadInput("the tokenizer has {} entries, but the model's vocabulary has {}",
                  tokenizer.vocab_size(), config.vocab);
}

Result<Generated> Generate(Forward& forward, const text::Tokenizer& tokenizer,
                           const GenerateOptions& options, const TextSink& write) {
  auto valid = Validate(options.sampling);
  if (valid) valid = CheckVocabulary(tokenizer, forward.config());
  if (!valid) return valid.error();
  if (options.tokens < 0) return BadInput("--tokens {}: is negative", options.tokens);
  auto context = MakeContext(tokenizer, options.prompt);
  if (!context) return context.error();
  auto written = write(options.prompt);
  if (!written) return written.error();

  Generated result{.context = *context, .tokens = {}};
  const std::set<int64_t> stop = StopTokens(tokenizer, options.model_tokens);
  const auto words = static_cast<size_t>(std::min(tokenizer.vocab_size(), forward.config().vocab));
  Sampler sampler(options.sampling);
  Utf8Stream characters;
  const Stopwatch watch;
  for (int64_t i = 0; i < options.tokens; ++i) {
    const auto logits = forward.Logits(*context);
    if (!logits) return logits.error();
    const auto token = sampler.Pick(logits->first(words), static_cast<uint64_t>(i));
    if (!token) return token.error();
    result.ms = watch.ms();
    result.stopped = stop.contains(*token);
    if (result.stopped) break;
    context->push_back(*token);
    result.tokens.push_back(*token);
    // A text's first token carries the tokenizer's dummy prefix, which Decode drops.
    const bool first = options.prompt.empty() && i == 0;
    const std::string bytes =
        first ? tokenizer.Decode({&*token, 1}) : std::string(tokenizer.Piece(*token));
    written = write(characters.Add(bytes));
    if (!written) return written.error();
  }
  written = write(characters.Finish());
  if (!written) return written.error();
  return result;
}

}  // namespace millwright::sample
