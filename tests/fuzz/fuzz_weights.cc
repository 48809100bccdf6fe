// A reference into any bytes gives data inside of them, as many as its type needs, or an error. The
// first bytes of the input are the reference: see weights_input.h.
#include <cstdlib>

#include "mil/weights.h"
#include "tests/fuzz/weights_input.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace millwright;
  fuzz::WeightsInput input;
  if (!fuzz::ReadInput(data, size, &input)) return 0;
  mil::WeightStore store;
  store.Put("w", mil::SharedBytes{nullptr, input.file});
  const auto constant = mil::Constant::Blob(input.type, {"w", input.offset});
  for (const bool lenient : {false, true}) {
    const auto bytes = store.Read(constant, lenient);
    if (!bytes) continue;
    const std::byte* end = input.file.data() + input.file.size();
    if (bytes->size() != input.type.bytes() || bytes->data() < input.file.data() ||
        bytes->data() + bytes->size() > end) {
      std::abort();
    }
    for (int64_t i = 0; i < input.type.elements(); ++i) {
      static_cast<void>(LoadElement(input.type.dtype, bytes->data(), static_cast<size_t>(i)));
    }
  }
  return 0;
}
