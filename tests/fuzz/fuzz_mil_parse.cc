// Any bytes are a program or an error; a program prints to a text that parses to it, and verifies
// or not without harm. Build: clang++ -fsanitize=fuzzer,address,undefined, linked with mw_mil.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "mil/text.h"
#include "mil/verify.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace millwright::mil;
  const auto program = Parse(std::string_view(reinterpret_cast<const char*>(data), size));
  if (!program) return 0;
  const auto again = Parse(Print(*program));
  if (!again || *again != *program) std::abort();
  static_cast<void>(Verify(*program).ok());
  return 0;
}
