// The order of the elements along an axis, for argsort and topk.
#pragma once

#include <cstdint>
#include <vector>

#include "mil/ops/walk.h"

namespace millwright::mil {

// The indices along the axis of one line of `data`, largest element first or, `ascending`, smallest
// first. Equal elements keep their order; NaN comes last.
std::vector<int64_t> SortedLine(const std::vector<double>& data, const AxisSplit& split,
                                int64_t line, bool ascending);

}  // namespace millwright::mil
