// What fill and fill_like share.
#pragma once

#include <span>

#include "mil/ops/rules.h"

namespace millwright::mil {

// The dtype of the scalar `value`; fp32 where it is absent.
Result<DType> ReadFillDType(const Call& call);

// `value`, 0 where it is absent, everywhere.
Arrays EvaluateFill(const Call& call, std::span<const Type> results, const Numerics& numerics);

}  // namespace millwright::mil
