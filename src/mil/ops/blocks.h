// Rearranging between channels and square blocks of the two spatial axes of a tensor [n, C, H, W].
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "mil/ops/rules.h"

namespace millwright::mil {

// Where the place in the block, of size^2, lies inside the channel index: pixel_shuffle counts
// channels outermost, depth_to_space the place.
enum class BlockOrder { kChannelFirst, kPlaceFirst };

// [n, C size^2, H, W] to [n, C, H size, W size]; `key` names the size.
Types InferToSpace(const Call& call, std::string_view key);
Arrays ToSpace(const Call& call, const Type& result, int64_t size, BlockOrder order);

// [n, C, H size, W size] to [n, C size^2, H, W].
Types InferToDepth(const Call& call, std::string_view key);
Arrays ToDepth(const Call& call, const Type& result, int64_t size, BlockOrder order);

}  // namespace millwright::mil
