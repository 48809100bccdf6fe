#include "math/convert.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/threads.h"
#include "math/simd.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "math/convert.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

#include "math/bf16_inl.h"  // after foreach_target.h

HWY_BEFORE_NAMESPACE();
namespace millwright::math {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using D = hn::ScalableTag<float>;

// The instruction sets that convert halves in hardware, subnormals included. NaN becomes the one
// NaN of base/dtype.h.
#if HWY_TARGET == HWY_AVX2 || HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_NEON
HWY_INLINE int64_t ToFp16Vectors(int64_t count, const float* from, Fp16* to) {
  const D d;
  const hn::Rebind<hwy::float16_t, D> half;
  const hn::Rebind<uint16_t, D> half_bits;
  const hn::RebindToUnsigned<D> bits;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  int64_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    const auto value = hn::LoadU(d, from + i);
    // Without its payload a NaN is 0x7FC00000, which converts to 0x7E00.
    const auto sign = hn::And(hn::BitCast(bits, value), hn::Set(bits, 0x80000000u));
    const auto nan = hn::BitCast(d, hn::Or(sign, hn::Set(bits, 0x7FC00000u)));
    const auto clean = hn::IfThenElse(hn::IsNaN(value), nan, value);
    hn::StoreU(hn::BitCast(half_bits, hn::DemoteTo(half, clean)), half_bits,
               reinterpret_cast<uint16_t*>(to + i));
  }
  return i;
}

HWY_INLINE int64_t FromFp16Vectors(int64_t count, const Fp16* from, float* to) {
  const D d;
  const hn::Rebind<hwy::float16_t, D> half;
  const hn::Rebind<uint16_t, D> half_bits;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  int64_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    const auto bits = hn::LoadU(half_bits, reinterpret_cast<const uint16_t*>(from + i));
    hn::StoreU(hn::PromoteTo(d, hn::BitCast(half, bits)), d, to + i);
  }
  return i;
}
#else
HWY_INLINE int64_t ToFp16Vectors(int64_t, const float*, Fp16*) { return 0; }
HWY_INLINE int64_t FromFp16Vectors(int64_t, const Fp16*, float*) { return 0; }
#endif

void ToFp16Range(int64_t count, const float* from, Fp16* to) {
  for (int64_t i = ToFp16Vectors(count, from, to); i < count; ++i) to[i] = ToFp16(from[i]);
}

void FromFp16Range(int64_t count, const Fp16* from, float* to) {
  for (int64_t i = FromFp16Vectors(count, from, to); i < count; ++i) to[i] = ToFloat(from[i]);
}

void ToBf16Range(int64_t count, const float* from, Bf16* to) {
  const D d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  int64_t i = 0;
  for (; i + lanes <= count; i += lanes) StoreBf16(d, hn::LoadU(d, from + i), to + i);
  for (; i < count; ++i) to[i] = ToBf16(from[i]);
}

void FromBf16Range(int64_t count, const Bf16* from, float* to) {
  const D d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  int64_t i = 0;
  for (; i + lanes <= count; i += lanes) hn::StoreU(LoadBf16(d, from + i), d, to + i);
  for (; i < count; ++i) to[i] = ToFloat(from[i]);
}

}  // namespace HWY_NAMESPACE
}  // namespace millwright::math
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace millwright::math {
namespace {

HWY_EXPORT(ToFp16Range);
HWY_EXPORT(FromFp16Range);
HWY_EXPORT(ToBf16Range);
HWY_EXPORT(FromBf16Range);

constexpr int64_t kGrain = 1024;
constexpr int64_t kTile = 64;  // rows and columns of a block that is transposed at a time

// Converts one contiguous run of elements.
void ConvertRow(int64_t count, DType from_dtype, const void* from, DType to_dtype, void* to) {
  if (from_dtype == to_dtype) {
    std::memcpy(to, from, static_cast<size_t>(count) * DTypeSize(from_dtype));
  } else if (from_dtype == DType::kFp32 && to_dtype == DType::kFp16) {
    HWY_DYNAMIC_DISPATCH(ToFp16Range)
    (count, static_cast<const float*>(from), static_cast<Fp16*>(to));
  } else if (from_dtype == DType::kFp16 && to_dtype == DType::kFp32) {
    HWY_DYNAMIC_DISPATCH(FromFp16Range)
    (count, static_cast<const Fp16*>(from), static_cast<float*>(to));
  } else if (from_dtype == DType::kFp32 && to_dtype == DType::kBf16) {
    HWY_DYNAMIC_DISPATCH(ToBf16Range)
    (count, static_cast<const float*>(from), static_cast<Bf16*>(to));
  } else if (from_dtype == DType::kBf16 && to_dtype == DType::kFp32) {
    HWY_DYNAMIC_DISPATCH(FromBf16Range)
    (count, static_cast<const Bf16*>(from), static_cast<float*>(to));
  } else {
    for (size_t i = 0; i < static_cast<size_t>(count); ++i) {
      StoreElement(to_dtype, to, i, LoadElement(from_dtype, from, i));
    }
  }
}

// to[c * stride + r] = tile[r * kTile + c], for elements of type T.
template <class T>
void ScatterTile(int64_t rows, int64_t columns, const std::byte* tile, void* to, int64_t stride) {
  const T* from = reinterpret_cast<const T*>(tile);
  T* out = static_cast<T*>(to);
  for (int64_t c = 0; c < columns; ++c) {
    for (int64_t r = 0; r < rows; ++r) out[c * stride + r] = from[r * kTile + c];
  }
}

void ScatterTileOf(size_t size, int64_t rows, int64_t columns, const std::byte* tile, void* to,
                   int64_t stride) {
  switch (size) {
    case 1:
      return ScatterTile<uint8_t>(rows, columns, tile, to, stride);
    case 2:
      return ScatterTile<uint16_t>(rows, columns, tile, to, stride);
    case 4:
      return ScatterTile<uint32_t>(rows, columns, tile, to, stride);
    default:
      return ScatterTile<uint64_t>(rows, columns, tile, to, stride);
  }
}

// A block with its element types: the arguments of ConvertBlock.
struct BlockCopy {
  DType from_dtype;
  const std::byte* from;
  int64_t from_stride;
  DType to_dtype;
  std::byte* to;
  int64_t to_stride;

  const std::byte* From(int64_t r, int64_t c) const {
    return from + (r * from_stride + c) * static_cast<int64_t>(DTypeSize(from_dtype));
  }
  std::byte* To(int64_t r, int64_t c) const {
    return to + (r * to_stride + c) * static_cast<int64_t>(DTypeSize(to_dtype));
  }
};

// The transpose of rows [begin, end): converted tile by tile, then scattered.
void TransposeRows(const BlockCopy& block, int64_t begin, int64_t end, int64_t columns) {
  alignas(64) std::byte tile[kTile * kTile * 8];
  const size_t size = DTypeSize(block.to_dtype);
  for (int64_t r = begin; r < end; r += kTile) {
    const int64_t height = std::min(kTile, end - r);
    for (int64_t c = 0; c < columns; c += kTile) {
      const int64_t width = std::min(kTile, columns - c);
      for (int64_t i = 0; i < height; ++i) {
        ConvertRow(width, block.from_dtype, block.From(r + i, c), block.to_dtype,
                   tile + static_cast<size_t>(i * kTile) * size);
      }
      ScatterTileOf(size, height, width, tile, block.To(c, r), block.to_stride);
    }
  }
}

}  // namespace

void ConvertToFp16(int64_t count, const float* from, Fp16* to) {
  ParallelFor(count, kGrain, [&](int64_t begin, int64_t end) {
    HWY_DYNAMIC_DISPATCH(ToFp16Range)(end - begin, from + begin, to + begin);
  });
}

void ConvertToFloat(int64_t count, const Fp16* from, float* to) {
  ParallelFor(count, kGrain, [&](int64_t begin, int64_t end) {
    HWY_DYNAMIC_DISPATCH(FromFp16Range)(end - begin, from + begin, to + begin);
  });
}

void ConvertToBf16(int64_t count, const float* from, Bf16* to) {
  ParallelFor(count, kGrain, [&](int64_t begin, int64_t end) {
    HWY_DYNAMIC_DISPATCH(ToBf16Range)(end - begin, from + begin, to + begin);
  });
}

void ConvertToFloat(int64_t count, const Bf16* from, float* to) {
  ParallelFor(count, kGrain, [&](int64_t begin, int64_t end) {
    HWY_DYNAMIC_DISPATCH(FromBf16Range)(end - begin, from + begin, to + begin);
  });
}

void ConvertBlock(int64_t rows, int64_t columns, DType from_dtype, const void* from,
                  int64_t from_stride, DType to_dtype, void* to, int64_t to_stride,
                  bool transpose) {
  const BlockCopy block{from_dtype, static_cast<const std::byte*>(from), from_stride,
                        to_dtype,   static_cast<std::byte*>(to),         to_stride};
  ParallelFor(rows, transpose ? kTile : 1, [&](int64_t begin, int64_t end) {
    if (transpose) return TransposeRows(block, begin, end, columns);
    for (int64_t r = begin; r < end; ++r) {
      ConvertRow(columns, from_dtype, block.From(r, 0), to_dtype, block.To(r, 0));
    }
  });
}

}  // namespace millwright::math
#endif  // HWY_ONCE
