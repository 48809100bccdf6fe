// Megabytes of text a second, on one core, of each tokenizer that reads files in the shared folder;
// beside it one plain call a text and memcpy. MILLWRIGHT_TOKENIZER and MILLWRIGHT_TEXT name others.
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>

#include "tests/shared_folder.h"
#include "text/open_tokenizer.h"
#include "text/sentencepiece_tokenizer.h"

namespace millwright::text {
namespace {

std::string SharedPath(const char* name) {
  const auto shared = SharedFolder();
  return shared ? (*shared / name).string() : std::string();
}

std::string Text() {
  const char* named = std::getenv("MILLWRIGHT_TEXT");
  std::ifstream file(named != nullptr ? named : SharedPath("data/tinystories/train.txt"),
                     std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// Calls `encode` with a tokenizer and a text again and again.
template <class Encode>
void Measure(benchmark::State& state, const std::string& path, size_t most, const Encode& encode) {
  const auto tokenizer = OpenTokenizer(path);
  const std::string text = Text().substr(0, most);
  if (!tokenizer || text.empty()) {
    state.SkipWithError(tokenizer ? "no text" : tokenizer.error().message.c_str());
    return;
  }
  for (auto _ : state) benchmark::DoNotOptimize(encode(**tokenizer, text));
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * text.size()));
}

// As `millwright tokenize` does it: a new encoder, a megabyte at a time.
size_t Stream(const Tokenizer& tokenizer, std::string_view text) {
  constexpr size_t kPart = size_t{1} << 20;
  const auto encoder = tokenizer.NewEncoder();
  std::vector<TokenId> ids;
  size_t count = 0;
  for (size_t at = 0; at < text.size(); at += kPart) {
    if (!encoder->Add(text.substr(at, kPart), ids)) return 0;
    count += ids.size();
    ids.clear();
  }
  return encoder->Finish(ids) ? count + ids.size() : 0;
}

void BM_Encoder(benchmark::State& state, const std::string& path) {
  Measure(state, path, std::string::npos, Stream);
}

// One text of 200 kB; of those that go word by word, without the memory of words.
void BM_PlainCall(benchmark::State& state, const std::string& path) {
  Measure(state, path, 200'000, [](const Tokenizer& tokenizer, const std::string& text) {
    const auto* pieces = dynamic_cast<const SentencePieceTokenizer*>(&tokenizer);
    return (pieces ? pieces->EncodeInOneCall(text) : tokenizer.Encode(text)).size();
  });
}

void BM_Memcpy(benchmark::State& state) {
  const std::string text = Text();
  std::string copy(text.size(), '\0');
  for (auto _ : state) {
    std::memcpy(copy.data(), text.data(), text.size());
    benchmark::DoNotOptimize(copy.data());
  }
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * text.size()));
}

[[maybe_unused]] const bool registered = [] {
  std::vector<std::pair<std::string, std::string>> tokenizers = {
      {"sentencepiece", SharedPath("data/llama2/tokenizer.model")},
      {"llama2c", SharedPath("data/llama2/tokenizer.bin")},
      {"qwen", SharedPath("data/qwen")}};
  if (const char* named = std::getenv("MILLWRIGHT_TOKENIZER")) tokenizers = {{"named", named}};
  benchmark::RegisterBenchmark("memcpy", BM_Memcpy);
  for (const auto& [name, path] : tokenizers) {
    const auto run = [path = path](auto measure) {
      return [path, measure](benchmark::State& state) { measure(state, path); };
    };
    benchmark::RegisterBenchmark((name + "/encoder").c_str(), run(BM_Encoder));
    benchmark::RegisterBenchmark((name + "/plain_call").c_str(), run(BM_PlainCall));
  }
  return true;
}();

}  // namespace
}  // namespace millwright::text
