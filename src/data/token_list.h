// Tokens held in memory.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "data/token_source.h"

namespace millwright::data {

// A source that owns `ids`.
std::shared_ptr<const TokenSource> MakeTokenList(std::vector<int32_t> ids, std::string name);

}  // namespace millwright::data
