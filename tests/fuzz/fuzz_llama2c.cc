// Llama2cFile::Open refuses or reads any file; every tensor of what it opens can be read, or is
// refused by name.
#include <vector>

#include "checkpoint/llama2c.h"
#include "tests/fuzz/fuzz_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace millwright;
  const fuzz::ScratchFile file(data, size);
  const bool looks = checkpoint::LooksLikeLlama2c(std::as_bytes(std::span(data, size)));
  const auto opened = checkpoint::Llama2cFile::Open(file.path());
  if (!opened) return 0;
  if (!looks) std::abort();
  for (const model::TensorSpec& spec : model::TensorTable(opened->config())) {
    std::vector<float> values(static_cast<size_t>(NumElements(spec.shape)));
    const Status status = opened->Read(spec, values);
    if (!status && status.error().message.find(spec.name) == std::string::npos) std::abort();
  }
  return 0;
}
