#include "math/gemv.h"

#include <algorithm>

#include "base/threads.h"
#include "math/simd.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "math/gemv.cc"
#include "hwy/cache_control.h"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace millwright::math {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using D = hn::ScalableTag<float>;
using V = hn::Vec<D>;

// How far ahead of its use a weight is asked for: the time to fetch a line from memory, at the
// speed at which lines are used up.
constexpr int64_t kAhead = 1024;
constexpr int64_t kLine = 64 / sizeof(float);

// One step of a dot product: sum + m[0..] * x[0..].
HWY_INLINE V Step(V sum, const float* m, const float* x) {
  return hn::MulAdd(hn::LoadU(D(), m), hn::LoadU(D(), x), sum);
}

// The sum of m[j] * x[j]. Four chains of additions hide the latency of each.
HWY_INLINE float Dot(int64_t count, const float* HWY_RESTRICT m, const float* HWY_RESTRICT x) {
  const auto lanes = static_cast<int64_t>(hn::Lanes(D()));
  V a = hn::Zero(D()), b = a, c = a, e = a;
  int64_t j = 0;
  for (; j + 4 * lanes <= count; j += 4 * lanes) {
    for (int64_t line = 0; line < 4 * lanes; line += kLine) hwy::Prefetch(m + j + kAhead + line);
    a = Step(a, m + j, x + j);
    b = Step(b, m + j + lanes, x + j + lanes);
    c = Step(c, m + j + 2 * lanes, x + j + 2 * lanes);
    e = Step(e, m + j + 3 * lanes, x + j + 3 * lanes);
  }
  for (; j + lanes <= count; j += lanes) a = Step(a, m + j, x + j);
  float sum = hn::GetLane(hn::SumOfLanes(D(), hn::Add(hn::Add(a, b), hn::Add(c, e))));
  for (; j < count; ++j) sum += m[j] * x[j];
  return sum;
}

// Rows [begin, end) of a matrix as stored: one dot product each.
void RowsAsStored(const GemvShape& s, int64_t begin, int64_t end, const float* HWY_RESTRICT m,
                  const float* HWY_RESTRICT x, float* HWY_RESTRICT y) {
  for (int64_t i = begin; i < end; ++i) {
    const float sum = Dot(s.columns, m + i * s.stride, x);
    y[i] = s.accumulate ? y[i] + sum : sum;
  }
}

// kVectors vectors of y, kept in registers while the stored rows go by.
template <int kVectors, class Tag>
HWY_INLINE void Block(Tag d, const GemvShape& s, const float* HWY_RESTRICT m,
                      const float* HWY_RESTRICT x, float* HWY_RESTRICT y) {
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  using Sum = hn::Vec<Tag>;
  const Sum zero = hn::Zero(d);
  Sum a = zero, b = zero, c = zero, e = zero;
  for (int64_t j = 0; j < s.columns; ++j, m += s.stride) {
    const Sum scale = hn::Set(d, x[j]);
    a = hn::MulAdd(hn::LoadU(d, m), scale, a);
    if constexpr (kVectors > 1) {
      b = hn::MulAdd(hn::LoadU(d, m + lanes), scale, b);
      c = hn::MulAdd(hn::LoadU(d, m + 2 * lanes), scale, c);
      e = hn::MulAdd(hn::LoadU(d, m + 3 * lanes), scale, e);
    }
  }
  const auto store = [&](Sum sum, float* to) HWY_ATTR {
    hn::StoreU(s.accumulate ? hn::Add(hn::LoadU(d, to), sum) : sum, d, to);
  };
  store(a, y);
  if constexpr (kVectors > 1) {
    store(b, y + lanes);
    store(c, y + 2 * lanes);
    store(e, y + 3 * lanes);
  }
}

// Rows [begin, end) of a transposed matrix: columns of the stored one.
void RowsTransposed(const GemvShape& s, int64_t begin, int64_t end, const float* HWY_RESTRICT m,
                    const float* HWY_RESTRICT x, float* HWY_RESTRICT y) {
  const auto lanes = static_cast<int64_t>(hn::Lanes(D()));
  int64_t i = begin;
  for (; i + 4 * lanes <= end; i += 4 * lanes) Block<4>(D(), s, m + i, x, y + i);
  for (; i + lanes <= end; i += lanes) Block<1>(D(), s, m + i, x, y + i);
  for (; i < end; ++i) Block<1>(hn::CappedTag<float, 1>(), s, m + i, x, y + i);
}

void GemvRows(const GemvShape& s, int64_t begin, int64_t end, const float* m, const float* x,
              float* y) {
  s.transposed ? RowsTransposed(s, begin, end, m, x, y) : RowsAsStored(s, begin, end, m, x, y);
}

const char* GemvTarget() { return hwy::TargetName(HWY_TARGET); }

}  // namespace HWY_NAMESPACE
}  // namespace millwright::math
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace millwright::math {
namespace {

HWY_EXPORT(GemvRows);
HWY_EXPORT(GemvTarget);

// Below this many weights another thread costs more than it saves.
constexpr int64_t kThreadWeights = 16384;
// Rows that go to a thread together: the widest block of RowsTransposed, so that a row is summed in
// the same way wherever the parts begin.
constexpr int64_t kRowGrain = 64;

}  // namespace

GemvForm AsGemv(const GemmShape& s) {
  const bool a_row_dense = s.transpose_a ? s.lda == 1 || s.k == 1 : true;
  const bool b_column_dense = s.transpose_b ? true : s.ldb == 1 || s.k == 1;
  if (s.n == 1 && b_column_dense && (s.ldc == 1 || s.m == 1)) {
    return {true, true, {s.m, s.k, s.lda, s.transpose_a, s.accumulate}};
  }
  if (s.m == 1 && a_row_dense) {
    return {true, false, {s.n, s.k, s.ldb, !s.transpose_b, s.accumulate}};
  }
  return {};
}

void Gemv(const GemvShape& shape, const float* m, const float* x, float* y) {
  const int64_t enough = kThreadWeights / std::max<int64_t>(1, shape.columns);
  const int64_t unit = std::max<int64_t>(1, enough / kRowGrain) * kRowGrain;
  ParallelRuns((shape.rows + unit - 1) / unit, [&](int64_t i) {
    const int64_t begin = i * unit, end = std::min(shape.rows, begin + unit);
    HWY_DYNAMIC_DISPATCH(GemvRows)(shape, begin, end, m, x, y);
  });
}

void GemvSerial(const GemvShape& shape, const float* m, const float* x, float* y) {
  HWY_DYNAMIC_DISPATCH(GemvRows)(shape, 0, shape.rows, m, x, y);
}

std::string GemvName() { return std::string("gemv:") + HWY_DYNAMIC_DISPATCH(GemvTarget)(); }

}  // namespace millwright::math
#endif  // HWY_ONCE
