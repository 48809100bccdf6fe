// Rows about weights that are baked in.
#include <map>

#include "device/ane/checks.h"

namespace millwright::device::ane {
namespace {

constexpr uint64_t kRecord = 64;
constexpr size_t kLargestProgram = size_t{2} << 30;

// Calls visit(operation, constant) for every constant that is in a weight file.
template <class Visit>
void ForEachBlob(const Facts& facts, const Visit& visit) {
  for (const mil::Operation& operation : facts.operations()) {
    for (const mil::Attribute& attribute : operation.attributes) {
      if (attribute.value.blob()) visit(operation, attribute.value);
    }
  }
}

}  // namespace

void BakedWeights(const Facts& facts, Findings& findings) {
  size_t bytes = 0;
  ForEachBlob(facts, [&](const mil::Operation&, const mil::Constant& constant) {
    bytes += constant.type().bytes();
  });
  if (bytes > kLargestProgram) findings.AtFunction("its weights have {} bytes", bytes);
}

void BlobOffsets(const Facts& facts, Findings& findings) {
  // The first reference into each file, by offset.
  std::map<std::string, std::pair<uint64_t, const mil::Operation*>> first;
  ForEachBlob(facts, [&](const mil::Operation& operation, const mil::Constant& constant) {
    const mil::BlobRef& blob = *constant.blob();
    if (blob.offset == 0 || blob.offset % kRecord != 0) {
      findings.At(operation, "offset {} of {} is no record's", blob.offset, blob.path);
      return;
    }
    const auto [it, added] = first.emplace(blob.path, std::pair(blob.offset, &operation));
    if (!added && blob.offset < it->second.first) it->second = {blob.offset, &operation};
  });
  for (const auto& [path, reference] : first) {
    const auto& [offset, operation] = reference;
    if (offset == kRecord) continue;
    findings.At(*operation, "offset {} is the first that is used of {}", offset, path);
  }
}

}  // namespace millwright::device::ane
