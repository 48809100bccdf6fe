#include "kernels/offload.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "kernels/kernel.h"

namespace millwright::kernels {
namespace {

constexpr std::pair<std::string_view, bool Offload::*> kNames[] = {
    {"rmsnorm", &Offload::rmsnorm},
    {"classifier", &Offload::classifier},
    {"softmax", &Offload::softmax},
    {"rmsnorm-bwd", &Offload::rmsnorm_backward},
};

constexpr int64_t kMostChannels = 16384;  // that all sources take (fact B5)

Status Add(std::string_view name, Offload* offload) {
  bool known = false;
  for (const auto& [candidate, member] : kNames) {
    if (name != candidate && name != "all") continue;
    offload->*member = known = true;
  }
  if (known) return {};
  return BadInput("{}: expected rmsnorm, classifier, softmax, rmsnorm-bwd or all", name);
}

}  // namespace

Result<Offload> ParseOffload(std::string_view names) {
  Offload offload;
  while (!names.empty()) {
    const size_t comma = std::min(names.find(','), names.size());
    if (Status status = Add(names.substr(0, comma), &offload); !status) return status.error();
    names.remove_prefix(std::min(comma + 1, names.size()));
  }
  return offload;
}

std::string OffloadNames(const Offload& offload) {
  std::vector<std::string_view> names;
  for (const auto& [name, member] : kNames) {
    if (offload.*member) names.push_back(name);
  }
  return fmt::format("{}", fmt::join(names, ","));
}

int64_t ClassifierRows(const KernelSpec& spec) {
  const Target& target = spec.target;
  const int64_t classes = spec.offload.classes;
  if (target.max_width == 0) return classes;
  const int64_t width = target.max_width / target.width_multiple * target.width_multiple;
  const int64_t most = std::clamp<int64_t>(width - spec.columns(), 1, kMostChannels);
  const int64_t launches = std::max<int64_t>((classes + most - 1) / most, 1);
  return (classes + launches - 1) / launches;
}

}  // namespace millwright::kernels
