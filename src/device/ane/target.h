// Which Neural Engine a program is meant for.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace millwright::device::ane {

// Variants of a generation are told apart only where a fact needs it; an "M1 Pro" is a kM1.
enum class Chip { kM1, kM2, kM2Max, kM3, kM3Ultra, kM4, kM5 };

std::span<const Chip> AllChips();
std::string_view ChipName(Chip chip);  // "m1", "m2-max", ...

struct Target {
  Chip chip = Chip::kM4;
  int macos = 15;  // major version
  // The program is run by this device, which prints the dialect that the compiler reads, sizes
  // surfaces and orders inputs. Otherwise it is checked as it stands, to be bound by hand.
  bool managed = true;

  int generation() const;  // 1 for every M1, and so on
  bool operator==(const Target&) const = default;
};

// "m1", "M2 Max", "m3-ultra", with ":15" behind it for a version of macOS (default 15). Variants
// that no fact tells apart are their generation. Bad input lists what there is.
Result<Target> ParseTarget(std::string_view text);

// The chip of what the private API calls its architecture, "h13g" to "h17s": generation n is H(n +
// 12); the variant is not in it. Bad input for another.
Result<Chip> ChipFromArchitecture(std::string_view architecture);

// Whether the compiler wants the verbose dialect, program(1.0) and ios16 (fact A12).
bool NeedsVerboseDialect(const Target& target);

}  // namespace millwright::device::ane
