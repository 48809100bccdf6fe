// ReadHfIndex refuses or reads any text; no shard that it names lies outside the folder, and what
// it read is written as a text that reads back.
#include "checkpoint/hf_index.h"
#include "tests/fuzz/fuzz_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace millwright;
  const fuzz::ScratchFile file(data, size);
  const auto map = checkpoint::ReadHfIndex(file.path());
  if (!map) return 0;
  for (const auto& [tensor, name] : *map) {
    if (name.find('/') != std::string::npos || name == "..") std::abort();
  }
  const std::string text = checkpoint::ToHfIndex(*map, 0);
  const fuzz::ScratchFile again(reinterpret_cast<const uint8_t*>(text.data()), text.size());
  const auto reread = checkpoint::ReadHfIndex(again.path());
  if (!reread || *reread != *map) std::abort();
  return 0;
}
