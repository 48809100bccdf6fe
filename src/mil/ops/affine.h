// Affine quantization, shared by quantize, dequantize and constexpr_affine_dequantize: one scale
// and zero point for the whole tensor, or one for each index along an axis.
#pragma once

#include <string_view>

#include "mil/ops/op.h"
#include "mil/ops/rules.h"
#include "mil/ops/walk.h"

namespace millwright::mil {

// Checks scale, zero_point and axis against the data in argument `data`: both are scalars, or
// vectors as long as `data` along `axis`. A zero point must be of dtype `quantized`.
Status CheckAffine(const Call& call, std::string_view data, DType quantized);

// An array of `type` with fn(element, scale, zero_point) for every element of `data`.
template <class Fn>
Array MapAffine(const Call& call, std::string_view data, const Type& type, const Fn& fn);

// The strides that read a parameter (scalar or vector along `axis`) beside a tensor of `shape`.
Strides AffineStrides(const Call& call, std::string_view key, const Shape& shape);

template <class Fn>
Array MapAffine(const Call& call, std::string_view data, const Type& type, const Fn& fn) {
  Array result = NewArray(type);
  if (result.data.empty()) return result;
  const Shape& shape = type.shape;
  const double* in = call.array(data).data.data();
  const double* scale = call.array("scale").data.data();
  const double zero = 0.0;
  const double* zero_point = call.Has("zero_point") ? call.array("zero_point").data.data() : &zero;
  const Strides scales = AffineStrides(call, "scale", shape);
  const Strides zeros = AffineStrides(call, "zero_point", shape);
  const int64_t length = RowLength(shape);
  double* out = result.data.data();
  ForEachRow<2>(shape, {scales, zeros}, [&](int64_t, const std::array<int64_t, 2>& offsets) {
    for (int64_t i = 0; i < length; ++i) {
      *out++ = fn(*in++, scale[offsets[0] + i * RowStride(scales)],
                  zero_point[offsets[1] + i * RowStride(zeros)]);
    }
  });
  return result;
}

}  // namespace millwright::mil
