// What the Neural Engine's compiler and hardware want of a program, as a table: every row is a fact
// of docs/ane.md with the chips it was seen on, its source, and a predicate over programs.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "device/ane/target.h"
#include "device/device.h"
#include "mil/program.h"

namespace millwright::device::ane {

// Ports' widths are multiples of this (B6); axes end here (B3), the last one on M1 to M3 there
// (B2).
inline constexpr int64_t kPortWidthMultiple = 32;
inline constexpr int64_t kMaxAxis = 65536;
inline constexpr int64_t kOldMaxWidth = 16384;

class Facts;
class Findings;

struct Constraint {
  std::string_view id;       // of the fact, "B2"
  Severity severity;         // of what it finds
  std::string_view chips;    // where it was seen
  std::string_view source;   // who reported it; [M] measured, [C] claimed, [D] decompiled
  std::string_view summary;  // what goes wrong
  std::string_view way_out;  // what to write instead
  bool (*applies)(const Target& target);
  void (*check)(const Facts& facts, Findings& findings);
};

// All rows, in the order of the facts.
std::span<const Constraint> AllConstraints();

// What speaks against `program` on `target`, in the order of the table. The program must be parsed
// or built, so that its values exist; it need not be verified. Says nothing about what a program's
// text does not show: docs/ane.md lists who takes care of that.
std::vector<Issue> CheckConstraints(const mil::Program& program, const Target& target);

// How programs must be written for `target`: the fields of Caps that follow from the table (dtype
// and storage are the device's own).
void FillCaps(const Target& target, Caps* caps);

// The table as text, a row a paragraph; with a target only the rows that apply to it.
std::string ListConstraints(const Target* target);

}  // namespace millwright::device::ane
