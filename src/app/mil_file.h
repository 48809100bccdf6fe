// MIL programs and their weights, as the mil commands read them.
#pragma once

#include <string>

#include "base/result.h"
#include "mil/program.h"
#include "mil/weights.h"

namespace millwright::app {

// A program and the file that it was read from.
struct MilFile {
  std::string path;
  std::string text;
  mil::Program program;
};

// Reads and parses; types are not checked yet.
Result<MilFile> ReadMilFile(const std::string& path);

// `program` with the function `name` alone; the first one if `name` is empty. Bad input lists the
// names.
Result<mil::Program> SelectFunction(const mil::Program& program, const std::string& name);

// The weight files that `program`, read from `path`, names: those in `folder`, or beside `path` if
// that is empty. Every blob is looked at: bad input names the constant whose record is malformed;
// with `lenient` the records of public programs pass.
Result<mil::WeightStore> LoadMilWeights(const mil::Program& program, const std::string& path,
                                        const std::string& folder, bool lenient);

}  // namespace millwright::app
