// Where there are no protocol buffers.
#include "mil/package/package.h"

namespace millwright::mil {
namespace {

Error NoProtobuf() {
  return BadInput(
      "this build has no protocol buffers; install protobuf and its compiler, configure with "
      "-DMILLWRIGHT_PACKAGES=ON, and build again: such a program cannot read SentencePiece "
      "tokenizers where that library has protocol buffers of its own");
}

}  // namespace

bool HasPackages() { return false; }

Result<EncodedPackage> EncodePackage(const Program&, const WeightStore&, bool) {
  return NoProtobuf();
}

Result<Program> DecodePackage(std::span<const std::byte>) { return NoProtobuf(); }

}  // namespace millwright::mil
