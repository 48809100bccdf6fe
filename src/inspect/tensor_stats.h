// What a tensor's numbers are like.
#pragma once

#include <cstdint>
#include <span>

#include "base/dtype.h"

namespace millwright::inspect {

struct TensorStats {
  int64_t elements = 0;
  double min = 0, max = 0, mean = 0;  // of the finite elements; 0 if there is none
  double absmax = 0, norm = 0;        // likewise; the norm is the 2-norm
  int64_t zeros = 0;
  int64_t subnormals = 0;  // smaller than the smallest normal number of the dtype, and not zero
  int64_t nans = 0, infinities = 0;

  // A count's share of the elements, from 0 to 1.
  double Share(int64_t count) const {
    return elements == 0 ? 0 : static_cast<double>(count) / static_cast<double>(elements);
  }
};

// `dtype` decides what is subnormal: nothing, for a dtype that is not a float.
TensorStats StatsOf(std::span<const double> elements, DType dtype);

// The smallest normal number: 2^-14 fp16, 2^-126 bf16 and fp32, 2^-1022 fp64; 0 for other types.
double SmallestNormal(DType dtype);

}  // namespace millwright::inspect
