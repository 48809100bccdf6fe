#include "model/lora.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "base/rng.h"
#include "base/threads.h"

namespace millwright::model {
namespace {

constexpr std::pair<TensorRole, std::string_view> kProjections[] = {
    {TensorRole::kWq, "q_proj"},    {TensorRole::kWk, "k_proj"},    {TensorRole::kWv, "v_proj"},
    {TensorRole::kWo, "o_proj"},    {TensorRole::kW1, "gate_proj"}, {TensorRole::kW3, "up_proj"},
    {TensorRole::kW2, "down_proj"},
};

std::optional<TensorRole> ProjectionFromName(std::string_view name) {
  for (const auto& [role, projection] : kProjections) {
    if (projection == name) return role;
  }
  return std::nullopt;
}

// "a.b.weight" -> "a.b.lora_A.weight".
TensorSpec AdapterSpec(const TensorSpec& base, int64_t rank, LoraPart part) {
  constexpr std::string_view kSuffix = ".weight";
  TensorSpec spec = base;
  spec.name.resize(base.name.size() - kSuffix.size());
  spec.name += part == LoraPart::kA ? ".lora_A.weight" : ".lora_B.weight";
  spec.part = part;
  spec.shape[part == LoraPart::kA ? 0 : 1] = rank;
  return spec;
}

template <class T>
void Init(const TensorSpec& spec, uint64_t seed, T* out) {
  const int64_t count = NumElements(spec.shape);
  if (spec.part == LoraPart::kB) {
    std::fill_n(out, count, T{0});
    return;
  }
  const Rng rng(seed, StreamId(spec.name.c_str()));
  const double bound = 1.0 / std::sqrt(static_cast<double>(spec.shape[1]));
  for (int64_t i = 0; i < count; ++i) {
    out[i] = static_cast<T>(bound * (2 * rng.Uniform(static_cast<uint64_t>(i)) - 1));
  }
}

}  // namespace

bool LoraConfig::Adapts(TensorRole role) const {
  return enabled() && std::find(targets.begin(), targets.end(), role) != targets.end();
}

std::string_view ProjectionName(TensorRole role) {
  for (const auto& [projection, name] : kProjections) {
    if (projection == role) return name;
  }
  return "";
}

Result<std::vector<TensorRole>> ParseLoraTargets(std::string_view list) {
  std::vector<TensorRole> targets;
  while (!list.empty()) {
    const std::string_view name = list.substr(0, list.find(','));
    list.remove_prefix(std::min(list.size(), name.size() + 1));
    const auto role = ProjectionFromName(name);
    if (!role) {
      std::vector<std::string_view> names;
      for (const auto& [projection, known] : kProjections) names.push_back(known);
      return BadInput("'{}' is not a projection; there are {}", name, fmt::join(names, ", "));
    }
    if (std::find(targets.begin(), targets.end(), *role) != targets.end()) {
      return BadInput("{} is named twice", name);
    }
    targets.push_back(*role);
  }
  if (targets.empty()) return BadInput("no projection is named");
  std::sort(targets.begin(), targets.end());
  return targets;
}

std::string LoraTargetNames(const LoraConfig& lora) {
  std::vector<std::string_view> names;
  names.reserve(lora.targets.size());
  for (const TensorRole role : lora.targets) names.push_back(ProjectionName(role));
  return fmt::format("{}", fmt::join(names, ","));
}

Status Validate(const LoraConfig& lora, const ModelConfig& config) {
  if (lora.rank < 1) return BadInput("--lora-rank {}: expected 1 or more", lora.rank);
  if (!std::isfinite(lora.alpha) || lora.alpha <= 0) {
    return BadInput("--lora-alpha {}: expected a positive number", lora.alpha);
  }
  if (lora.targets.empty()) return BadInput("--lora-targets: no projection is named");
  for (const TensorSpec& spec : TensorTable(config)) {
    if (!lora.Adapts(spec.role)) continue;
    const int64_t smallest = std::min(spec.shape[0], spec.shape[1]);
    if (lora.rank <= smallest) continue;
    return BadInput("--lora-rank {}: {} is {}, so that its rank is at most {}", lora.rank,
                    ProjectionName(spec.role), ShapeToString(spec.shape), smallest);
  }
  return {};
}

std::vector<TensorSpec> AdapterTable(const ModelConfig& config, const LoraConfig& lora) {
  std::vector<TensorSpec> table;
  for (const TensorSpec& spec : TensorTable(config)) {
    if (!lora.Adapts(spec.role)) continue;
    table.push_back(AdapterSpec(spec, lora.rank, LoraPart::kA));
    table.push_back(AdapterSpec(spec, lora.rank, LoraPart::kB));
  }
  return table;
}

void InitAdapter(const TensorSpec& spec, uint64_t seed, float* out) { Init(spec, seed, out); }

void InitAdapter(const TensorSpec& spec, uint64_t seed, double* out) { Init(spec, seed, out); }

void MergeAdapter(int64_t rank, double scale, std::span<const float> a, std::span<const float> b,
                  std::span<float> w) {
  const auto columns = static_cast<int64_t>(a.size()) / rank;
  const auto rows = static_cast<int64_t>(b.size()) / rank;
  ParallelFor(rows, 1, [&](int64_t begin, int64_t end) {
    std::vector<double> sum(static_cast<size_t>(columns));
    for (int64_t row = begin; row < end; ++row) {
      std::fill(sum.begin(), sum.end(), 0.0);
      for (int64_t r = 0; r < rank; ++r) {
        const double factor = scale * static_cast<double>(b[row * rank + r]);
        const float* from = a.data() + r * columns;
        for (int64_t c = 0; c < columns; ++c) sum[c] += factor * static_cast<double>(from[c]);
      }
      float* to = w.data() + row * columns;
      for (int64_t c = 0; c < columns; ++c) {
        to[c] = static_cast<float>(static_cast<double>(to[c]) + sum[c]);
      }
    }
  });
}

}  // namespace millwright::model
