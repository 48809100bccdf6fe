// Stories without a download: small children's stories from a grammar.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace millwright::data {

// Story `index` of the endless book that `seed` opens: 60 to 180 words of plain ASCII in a few
// paragraphs, one hero, place and thing throughout. A pure function of its arguments. The texts are
// this project's own.
std::string GenerateStory(uint64_t seed, uint64_t index);

// Stories 0, 1, ... of `seed`, until together they have at least `bytes` bytes.
std::vector<std::string> GenerateStories(uint64_t seed, size_t bytes);

}  // namespace millwright::data
