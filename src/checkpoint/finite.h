// Weights that are not numbers are refused where they are read.
#pragma once

#include <span>
#include <string_view>

#include "base/result.h"

namespace millwright::checkpoint {

// Bad input, with the count and the first of them, where `data` of tensor `name` holds NaN or
// infinity.
Status CheckFinite(std::string_view name, std::span<const float> data);

}  // namespace millwright::checkpoint
