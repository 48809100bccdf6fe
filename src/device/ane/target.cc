#include "device/ane/target.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <vector>

namespace millwright::device::ane {
namespace {

constexpr std::array kChips = {Chip::kM1,      Chip::kM2, Chip::kM2Max, Chip::kM3,
                               Chip::kM3Ultra, Chip::kM4, Chip::kM5};
constexpr int kOldestMacos = 14;

// Lower case, with dashes for blanks.
std::string Canonical(std::string_view text) {
  std::string name(text);
  std::ranges::transform(name, name.begin(), [](unsigned char c) {
    return c == ' ' || c == '_' ? '-' : static_cast<char>(std::tolower(c));
  });
  return name;
}

// The name without a variant that no fact tells apart.
std::string Generation(std::string_view name) {
  for (std::string_view variant : {"-pro", "-max", "-ultra"}) {
    if (name.ends_with(variant)) return std::string(name.substr(0, name.size() - variant.size()));
  }
  return std::string(name);
}

Error UnknownChip(std::string_view text) {
  std::vector<std::string_view> names;
  for (Chip chip : kChips) names.push_back(ChipName(chip));
  return BadInput("target \"{}\": expected a chip ({}), and :VERSION of macOS behind it if need be",
                  text, fmt::join(names, ", "));
}

}  // namespace

std::span<const Chip> AllChips() { return kChips; }

std::string_view ChipName(Chip chip) {
  switch (chip) {
    case Chip::kM1:
      return "m1";
    case Chip::kM2:
      return "m2";
    case Chip::kM2Max:
      return "m2-max";
    case Chip::kM3:
      return "m3";
    case Chip::kM3Ultra:
      return "m3-ultra";
    case Chip::kM4:
      return "m4";
    case Chip::kM5:
      return "m5";
  }
  return "unknown";
}

int Target::generation() const { return ChipName(chip)[1] - '0'; }

Result<Target> ParseTarget(std::string_view text) {
  const size_t colon = std::min(text.find(':'), text.size());
  Target target;
  if (colon < text.size()) {
    const std::string_view version = text.substr(colon + 1);
    const char* end = version.data() + version.size();
    const auto [rest, error] = std::from_chars(version.data(), end, target.macos);
    if (error != std::errc() || rest != end || target.macos < kOldestMacos) {
      return BadInput("target \"{}\": expected macOS {} or later behind the colon, found \"{}\"",
                      text, kOldestMacos, version);
    }
  }
  const std::string name = Canonical(text.substr(0, colon));
  for (const std::string& candidate : {name, Generation(name)}) {
    for (Chip chip : kChips) {
      if (ChipName(chip) != candidate) continue;
      target.chip = chip;
      return target;
    }
  }
  return UnknownChip(text);
}

Result<Chip> ChipFromArchitecture(std::string_view architecture) {
  constexpr std::array kByFamily = {Chip::kM1, Chip::kM2, Chip::kM3, Chip::kM4, Chip::kM5};
  for (size_t i = 0; i < kByFamily.size(); ++i) {
    if (architecture.starts_with(fmt::format("h{}", 13 + i))) return kByFamily[i];
  }
  return BadInput("architecture \"{}\" of the Neural Engine: expected h13 to h17", architecture);
}

bool NeedsVerboseDialect(const Target& target) {
  return target.generation() <= 2 || target.macos < 15;
}

}  // namespace millwright::device::ane
