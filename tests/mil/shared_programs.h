// The programs that the field's reference generates for Stories110M, in the shared folder.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "mil/program.h"
#include "mil/weights.h"

namespace millwright {

// "dynamic_stories110m/01_sdpaFwd", ...: paths below the folder's mil/, without ".mil".
const std::vector<std::string>& SharedProgramNames();

// Only where there is a SharedFolder().
Result<mil::Program> LoadSharedProgram(const std::string& name);

// The weight files of a program. The dynamic programs come with theirs; for the static ones, which
// do not, seeded random ones.
Result<mil::WeightStore> SharedProgramWeights(const mil::Program& program, const std::string& name);

// fp16 numbers in [-scale, scale], from a linear congruence: there are a hundred million of them.
std::vector<double> RandomHalves(int64_t count, double scale, uint64_t seed);

}  // namespace millwright
