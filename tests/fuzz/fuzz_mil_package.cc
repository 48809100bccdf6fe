// Any bytes are a Core ML model or an error; a program that verifies goes back into a package, and
// comes out of that one as it went in. Build: clang++ -fsanitize=fuzzer,address,undefined, linked
// with mw_mil_package.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "mil/package/package.h"
#include "mil/text.h"
#include "mil/verify.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace millwright::mil;
  const auto program = DecodePackage(std::as_bytes(std::span(data, size)));
  if (!program) return 0;
  static_cast<void>(Print(*program));
  if (!Verify(*program)) return 0;
  const auto package = EncodePackage(*program, {});  // fails where weights are needed
  if (!package) return 0;
  const auto once = DecodePackage(std::as_bytes(std::span(package->model)));
  if (!once) std::abort();
  const auto again = EncodePackage(*once, {});
  if (again && again->model != package->model) std::abort();
  return 0;
}
