// seed_weights FOLDER: writes a valid weight file of two blobs for each dtype, from which
// fuzz_weights starts.
#include <cstdio>
#include <fstream>
#include <string>

#include "tests/fuzz/weights_input.h"

int main(int argc, char** argv) {
  using namespace millwright;
  if (argc != 2) {
    std::fprintf(stderr, "usage: seed_weights FOLDER\n");
    return 1;
  }
  for (uint32_t i = 0; i < fuzz::kDTypes; ++i) {
    const auto dtype = static_cast<DType>(i);
    if (!mil::BlobDTypeCode(dtype)) continue;
    const mil::Type type{dtype, {5}};
    const std::vector<std::byte> data(type.bytes(), std::byte{0x5A});
    const uint64_t unused = 8 * type.bytes() - 5 * DTypeBits(dtype);
    mil::BlobWriter writer;
    writer.Add(dtype, data, unused);
    const uint64_t offset = writer.Add(dtype, data, unused);
    const auto bytes = fuzz::WriteInput(dtype, 5, offset, std::move(writer).Finish());
    std::ofstream file(std::string(argv[1]) + "/" + std::string(DTypeName(dtype)),
                       std::ios::binary);
    file.write(reinterpret_cast<const char*>(bytes.data()),
               static_cast<std::streamsize>(bytes.size()));
    if (!file) return 1;
  }
  return 0;
}
