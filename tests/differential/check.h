// Runs a program on every device and precision, and compares the outputs with their bounds.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "tests/differential/grower.h"
#include "tests/mil/program_runner.h"

namespace millwright::differential {

// The largest share of its bound that an error took, by the operation that computed the output.
struct Shares {
  std::map<std::string, double> largest;
  std::map<std::string, int64_t> elements;
};

// The reference in exact, and the reference and the cpu device in fp32 and fp16. The ANE's
// arithmetic has other bounds.
std::vector<Target> CheckedTargets();

// Success if a target in precision exact gives what the analysis has, and the others give it within
// the bounds of their precision. `shares`, if not null, is kept up to date.
Status Check(const Grown& grown, const std::vector<Target>& targets, Shares* shares = nullptr);

// A smaller program that fails alike: outputs are dropped, and values become inputs, as long as it
// fails.
Grown Shrink(Grown failing, const std::vector<Target>& targets);

// The program as text, with its inputs in comments, as tests/mil/vector_file.h has them.
std::string ToText(const Grown& grown);

}  // namespace millwright::differential
