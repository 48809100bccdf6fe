// Seeded numbers for inputs and weights that a program comes without.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "mil/program.h"
#include "mil/type.h"

namespace millwright::inspect {

// Elements of `type`, a function of `seed` and `name` alone: floats are `scale` times standard
// normal, and representable in fp16, so that every precision starts from the same numbers; integers
// and bools are 0 or 1, which any axis or choice can take.
std::vector<double> RandomElements(const mil::Type& type, double scale, uint64_t seed,
                                   std::string_view name);

// `program` with every constant of a weight file replaced by random numbers of its type: floats of
// deviation 1 / sqrt(elements behind the first axis), which keeps a product's size; int8 between
// -127 and 127.
mil::Program WithRandomWeights(mil::Program program, uint64_t seed);

}  // namespace millwright::inspect
