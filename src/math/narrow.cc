#include "math/narrow.h"

#include <algorithm>
#include <vector>

#include "base/aligned.h"
#include "base/round_up.h"
#include "base/threads.h"
#include "math/convert.h"
#include "math/digits.h"
#include "math/int8.h"
#include "math/simd.h"
#include "math/stream.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "math/narrow.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace millwright::math {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using D = hn::ScalableTag<float>;
using V = hn::Vec<D>;

// One vector of fp32 numbers from as many narrow ones.
HWY_INLINE V Widen(const int8_t* from) {
  const hn::Rebind<int32_t, D> di;
  return hn::ConvertTo(D(), hn::PromoteTo(di, hn::LoadU(hn::Rebind<int8_t, D>(), from)));
}

HWY_INLINE V Widen(const uint16_t* from) {  // bf16: the upper half of an fp32
  const hn::Rebind<uint32_t, D> du;
  const auto bits = hn::PromoteTo(du, hn::LoadU(hn::Rebind<uint16_t, D>(), from));
  return hn::BitCast(D(), hn::ShiftLeft<16>(bits));
}

// The sum of w[j] * x[j]. Both have zeros up to a multiple of four vectors.
template <class T>
HWY_INLINE float PaddedDot(int64_t count, const T* HWY_RESTRICT w, const float* HWY_RESTRICT x) {
  const D d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  const int64_t step = 4 * lanes;
  constexpr auto kSize = static_cast<int64_t>(sizeof(T));
  V a = hn::Zero(d), b = a, c = a, e = a;
  for (int64_t j = 0; j < count; j += step) {
    const auto* bytes = reinterpret_cast<const uint8_t*>(w + j) + kStreamAhead;
    for (int64_t line = 0; line < step * kSize; line += 64) PrefetchStream(bytes + line);
    a = hn::MulAdd(Widen(w + j), hn::LoadU(d, x + j), a);
    b = hn::MulAdd(Widen(w + j + lanes), hn::LoadU(d, x + j + lanes), b);
    c = hn::MulAdd(Widen(w + j + 2 * lanes), hn::LoadU(d, x + j + 2 * lanes), c);
    e = hn::MulAdd(Widen(w + j + 3 * lanes), hn::LoadU(d, x + j + 3 * lanes), e);
  }
  return hn::GetLane(hn::SumOfLanes(d, hn::Add(hn::Add(a, b), hn::Add(c, e))));
}

// Rows [begin, end) of the product; x has zeros up to the stride.
void NarrowRows(const NarrowMatrix& w, int64_t begin, int64_t end, const float* HWY_RESTRICT x,
                float* HWY_RESTRICT y) {
  const int64_t stride = w.stride();
  if (w.dtype == DType::kBf16) {
    const auto* rows = reinterpret_cast<const uint16_t*>(w.memory);
    for (int64_t i = begin; i < end; ++i) y[i] = PaddedDot(stride, rows + i * stride, x);
    return;
  }
  const auto* rows = reinterpret_cast<const int8_t*>(w.memory);
  const float* HWY_RESTRICT scales = w.scales();
  for (int64_t i = begin; i < end; ++i) y[i] = scales[i] * PaddedDot(stride, rows + i * stride, x);
}

}  // namespace HWY_NAMESPACE
}  // namespace millwright::math
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace millwright::math {
namespace {

HWY_EXPORT(NarrowRows);

constexpr int64_t kPadding = 64;  // elements: four vectors of the widest

// Rows that a thread takes at once: few enough for the threads to be done at about the same time,
// although one gets less of memory's bandwidth than the other.
int64_t RowsOfUnit(int64_t rows) {
  constexpr int64_t kLeast = 16, kMost = 128;
  return std::clamp(RoundUp(rows / (3 * GetThreads()), kLeast), kLeast, kMost);
}

// What a thread of control works with.
struct Scratch {
  std::vector<float> padded;  // x and the zeros behind it
  AlignedBuffer<int8_t> digits;
};

Scratch& ScratchOfThread() {
  thread_local Scratch scratch;
  return scratch;
}

// Writes x in digits, in this thread's scratch, if the rows of `w` are to be multiplied so.
bool TryDigits(const NarrowMatrix& w, const float* x, DigitVector& digits) {
  if (w.dtype != DType::kInt8 || !HasInt8Dot() || w.stride() > kMostDigitColumns) return false;
  const auto size = static_cast<size_t>(w.stride());
  AlignedBuffer<int8_t>& memory = ScratchOfThread().digits;
  if (memory.size() < 3 * size) memory = AlignedBuffer<int8_t>(3 * size);
  digits.digits = {memory.data(), memory.data() + size, memory.data() + 2 * size};
  return ToDigits(w.stride(), x, digits);
}

}  // namespace

int64_t NarrowMatrix::stride() const { return RoundUp(columns, kPadding); }

float* NarrowMatrix::scales() const {
  return reinterpret_cast<float*>(memory + rows * stride() * static_cast<int64_t>(sizeof(int8_t)));
}

size_t NarrowBytes(DType dtype, int64_t rows, int64_t columns) {
  const auto elements = static_cast<size_t>(rows * RoundUp(columns, kPadding)) * DTypeSize(dtype);
  return elements +
         (dtype == DType::kInt8 ? static_cast<size_t>(RoundUp(rows, kPadding)) * sizeof(float) : 0);
}

void Narrow(const float* w, int64_t stride, const NarrowMatrix& to) {
  const int64_t to_stride = to.stride();
  if (to.dtype == DType::kInt8) {
    auto* rows = reinterpret_cast<int8_t*>(to.memory);
    return QuantizeRowMajor(to.rows, to.columns, w, stride, rows, to_stride, to.scales());
  }
  auto* rows = reinterpret_cast<Bf16*>(to.memory);
  for (int64_t i = 0; i < to.rows; ++i) {
    ConvertToBf16(to.columns, w + i * stride, rows + i * to_stride);
    std::fill_n(rows + i * to_stride + to.columns, to_stride - to.columns, Bf16{});
  }
}

void NarrowGemv(const NarrowMatrix& w, const float* x, float* y) {
  const float* from = x;
  if (w.columns != w.stride()) {
    std::vector<float>& padded = ScratchOfThread().padded;
    padded.assign(static_cast<size_t>(w.stride()), 0.0f);
    std::copy_n(x, w.columns, padded.data());
    from = padded.data();
  }
  DigitVector digits;
  const bool whole = TryDigits(w, from, digits);
  const int64_t rows = RowsOfUnit(w.rows);
  ParallelRuns((w.rows + rows - 1) / rows, [&](int64_t unit) {
    const int64_t begin = unit * rows, end = std::min(w.rows, begin + rows);
    if (whole) return MultiplyDigits(w, digits, begin, end, y);
    HWY_DYNAMIC_DISPATCH(NarrowRows)(w, begin, end, from, y);
  });
}

void ScalarNarrowGemv(const NarrowMatrix& w, const float* x, double* y) {
  for (int64_t i = 0; i < w.rows; ++i) {
    double sum = 0;
    for (int64_t j = 0; j < w.columns; ++j) {
      const auto at = static_cast<size_t>(i * w.stride() + j);
      sum += LoadElement(w.dtype, w.memory, at) * static_cast<double>(x[j]);
    }
    y[i] = w.dtype == DType::kInt8 ? sum * static_cast<double>(w.scales()[i]) : sum;
  }
}

}  // namespace millwright::math
#endif  // HWY_ONCE
