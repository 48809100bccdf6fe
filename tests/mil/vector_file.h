// A MIL program with its inputs and expected outputs written into comments:
//
//   // What this file is about.
//   // input x = [1, 2, 3, 4]
//   // expect y = [-1, -2, -3, -4]
//   program(1.3) ...
//
// Numbers are separated by commas, in row-major order; true, false, inf, -inf and nan are allowed.
// Every input and every output of the program has its line. Inputs are representable in their
// dtype; expected numbers are those of exact arithmetic.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "base/result.h"

namespace millwright {

struct VectorFile {
  std::string text;  // the whole file: the comments are part of the program
  std::map<std::string, std::vector<double>> inputs;
  std::map<std::string, std::vector<double>> expected;
};

Result<VectorFile> ReadVectorFile(const std::filesystem::path& path);

}  // namespace millwright
