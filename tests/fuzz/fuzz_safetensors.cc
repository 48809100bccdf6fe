// Safetensors::Open refuses or reads any file; what it opens can be read to the last byte.
#include "checkpoint/safetensors.h"
#include "tests/fuzz/fuzz_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using millwright::checkpoint::Safetensors;
  const millwright::fuzz::ScratchFile file(data, size);
  const auto opened = Safetensors::Open(file.path());
  if (!opened) return 0;
  for (const Safetensors::Entry& entry : opened->entries()) {
    unsigned sum = 0;
    for (const std::byte b : opened->Bytes(entry)) sum += static_cast<unsigned>(b);
    std::vector<float> values(static_cast<size_t>(millwright::NumElements(entry.shape)));
    if (opened->Read(entry.name, entry.shape, values) && !entry.dtype) std::abort();
    if (opened->Find(entry.name) != &entry || sum > 255u * size) std::abort();
  }
  return 0;
}
