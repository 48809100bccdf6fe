// What the verifier accepts prints, in either dialect, to a text that parses to a program that it
// accepts too; canonical text prints as itself.
#include <cstdlib>
#include <string_view>

#include "mil/text.h"
#include "mil/verify.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace millwright::mil;
  const auto program = Parse(std::string_view(reinterpret_cast<const char*>(data), size));
  if (!program || !Verify(*program)) return 0;
  const std::string text = Print(*program);
  const auto again = Parse(text);
  if (!again || *again != *program || Print(*again) != text || !Verify(*again)) std::abort();
  const auto verbose = Parse(PrintVerbose(*program));
  // The verbose dialect is ios16's, so that newer operations are refused there.
  if (!verbose || verbose->functions.size() != program->functions.size()) std::abort();
  return 0;
}
