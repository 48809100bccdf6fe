#include "sample/generator.h"

#include <algorithm>
#include <charconv>
#include <set>

#include "base/clock.h"
#include "sample/text_stop.h"
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

std::set<int64_t> StopTokens(const text::Tokenizer& tokenizer, const GenerateOptions& options) {
  std::set<int64_t> stop(options.stop_tokens.begin(), options.stop_tokens.end());
  for (const auto& id : {tokenizer.bos(), tokenizer.eos()}) {
    if (id) stop.insert(*id);
  }
  const model::TokenIds& model = options.model_tokens;
  for (const auto& id : {model.bos, model.eos}) {
    if (id) stop.insert(*id);
  }
  stop.insert(model.more_eos.begin(), model.more_eos.end());
  return stop;
}

Status CheckOptions(const GenerateOptions& options, const text::Tokenizer& tokenizer,
                    const model::ModelConfig& config, int64_t context) {
  auto valid = Validate(options.sampling);
  if (valid) valid = CheckVocabulary(tokenizer, config);
  if (!valid) return valid;
  if (options.tokens < 0) return BadInput("--tokens {}: is negative", options.tokens);
  if (context <= config.seq) return {};
  return BadInput("the prompt has {} tokens, but the model's context is {}", context, config.seq);
}

// The text of drawn tokens on its way out: stops at stop texts, then made of whole characters.
class Writer {
 public:
  Writer(const text::Tokenizer& tokenizer, const GenerateOptions& options, const TextSink& write)
      : tokenizer_(tokenizer), stop_(options.stop_texts), write_(write) {}

  // `starts_text`: nothing precedes the token. A text's first token carries the tokenizer's dummy
  // prefix, which Decode drops.
  Status Add(int32_t token, bool starts_text) {
    return Write(starts_text ? tokenizer_.Decode({&token, 1})
                             : std::string(tokenizer_.Piece(token)));
  }
  Status Finish() {
    const std::string rest = characters_.Add(stop_.Finish());
    return write_(rest + characters_.Finish());
  }
  bool stopped() const { return stop_.found(); }

 private:
  Status Write(const std::string& bytes) { return write_(characters_.Add(stop_.Add(bytes))); }

  const text::Tokenizer& tokenizer_;
  TextStop stop_;
  Utf8Stream characters_;
  const TextSink& write_;
};

}  // namespace

Status AddStops(const std::vector<std::string>& values, int64_t vocab, GenerateOptions* options) {
  for (const std::string& value : values) {
    if (value.empty()) return BadInput("--stop: an empty text would end everything");
    int64_t id = 0;
    const char* end = value.data() + value.size();
    const auto [rest, error] = std::from_chars(value.data(), end, id);
    if (error == std::errc::invalid_argument || rest != end) {
      options->stop_texts.push_back(value);
    } else if (error != std::errc() || id < 0 || id >= vocab) {
      return BadInput("--stop {}: is outside the vocabulary of {}", value, vocab);
    } else {
      options->stop_tokens.push_back(id);
    }
  }
  return {};
}

Status CheckVocabulary(const text::Tokenizer& tokenizer, const model::ModelConfig& config) {
  if (tokenizer.vocab_size() <= config.vocab) return {};
  return BadInput("the tokenizer has {} entries, but the model's vocabulary has {}",
                  tokenizer.vocab_size(), config.vocab);
}

Result<Generated> Generate(Predictor& predictor, const text::Tokenizer& tokenizer,
                           const GenerateOptions& options, const TextSink& write) {
  auto context = MakeContext(tokenizer, options.prompt);
  if (!context) return context.error();
  auto status =
      CheckOptions(options, tokenizer, predictor.config(), static_cast<int64_t>(context->size()));
  if (status) status = write(options.prompt);
  if (!status) return status.error();
  return Continue(predictor, tokenizer, std::move(*context), options, write);
}

Result<Generated> Continue(Predictor& predictor, const text::Tokenizer& tokenizer,
                           std::vector<int32_t> context, const GenerateOptions& options,
                           const TextSink& write) {
  const model::ModelConfig& config = predictor.config();
  auto status = CheckOptions(options, tokenizer, config, static_cast<int64_t>(context.size()));
  if (!status) return status.error();
  Generated result{.context = context, .tokens = {}};
  const bool only_bos = context.size() == 1 && context.front() == tokenizer.bos();
  const std::set<int64_t> stop = StopTokens(tokenizer, options);
  const auto words = static_cast<size_t>(std::min(tokenizer.vocab_size(), config.vocab));
  Sampler sampler(options.sampling);
  Writer writer(tokenizer, options, write);
  Stopwatch watch;
  for (int64_t i = 0; i < options.tokens; ++i) {
    if (static_cast<int64_t>(context.size()) > config.seq) {
      result.end = TextEnd::kContext;
      break;
    }
    const auto logits = predictor.Logits(context);
    if (!logits) return logits.error();
    const auto token =
        sampler.Pick(logits->first(words), options.first_draw + static_cast<uint64_t>(i));
    if (!token) return token.error();
    (i == 0 ? result.context_ms : result.ms) = watch.ms();
    if (i == 0) watch.Restart();
    if (stop.contains(*token)) {
      result.end = TextEnd::kStop;
      break;
    }
    context.push_back(*token);
    result.tokens.push_back(*token);
    status = writer.Add(*token, only_bos && i == 0);
    if (!status) return status.error();
    if (writer.stopped()) break;
  }
  status = writer.Finish();
  if (!status) return status.error();
  if (writer.stopped()) result.end = TextEnd::kStop;
  return result;
}

}  // namespace millwright::sample
