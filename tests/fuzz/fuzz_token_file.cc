// OpenTokenFile refuses or reads any file; every token that it lets through is in the vocabulary.
#include <vector>

#include "data/token_file.h"
#include "tests/fuzz/fuzz_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  constexpr int64_t kVocab = 40000;
  const millwright::fuzz::ScratchFile file(data, size);
  const auto opened = millwright::data::OpenTokenFile(file.path(), {.vocab = kVocab, .seq = 4});
  if (!opened) return 0;
  std::vector<int32_t> ids(static_cast<size_t>((*opened)->size()));
  (*opened)->Copy(0, ids);
  for (const int32_t id : ids) {
    if (id < 0 || id >= kVocab) std::abort();
  }
  return 0;
}
