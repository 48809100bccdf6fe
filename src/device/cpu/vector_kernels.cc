// The vector loops behind vector_program.h, compiled once per instruction set.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "device/cpu/vector_program.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "device/cpu/vector_kernels.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
// After highway.h.
#include "hwy/contrib/math/math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace millwright::device::cpu::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
using Tag = hn::ScalableTag<float>;
using Vec = hn::Vec<Tag>;

// The first `count` lanes; nothing behind them is touched.
HWY_INLINE Vec LoadPart(Tag d, const float* from, size_t count) {
  alignas(64) float lanes[HWY_LANES(float)] = {};
  std::memcpy(lanes, from, count * sizeof(float));
  return hn::Load(d, lanes);
}
HWY_INLINE void StorePart(Vec v, Tag d, float* to, size_t count) {
  alignas(64) float lanes[HWY_LANES(float)];
  hn::Store(v, d, lanes);
  std::memcpy(to, lanes, count * sizeof(float));
}

// Highway's exp holds for x <= 104; beyond ln(FLT_MAX) the result is infinite.
HWY_INLINE Vec Exp(Tag d, Vec x) {
  const Vec inf = hn::Set(d, std::numeric_limits<float>::infinity());
  const auto large = hn::Gt(x, hn::Set(d, 88.72284f));
  const auto nan = hn::Ne(x, x);
  const Vec clamped = hn::Max(hn::Min(x, hn::Set(d, 88.72284f)), hn::Set(d, -110.0f));
  return hn::IfThenElse(nan, x, hn::IfThenElse(large, inf, hn::Exp(d, clamped)));
}

HWY_INLINE Vec Log(Tag d, Vec x) {
  const Vec inf = hn::Set(d, std::numeric_limits<float>::infinity());
  const Vec nan = hn::Set(d, std::numeric_limits<float>::quiet_NaN());
  Vec y = hn::Log(d, x);
  y = hn::IfThenElse(hn::Eq(x, inf), inf, y);
  y = hn::IfThenElse(hn::Eq(x, hn::Zero(d)), hn::Neg(inf), y);
  return hn::IfThenElse(hn::Ge(x, hn::Zero(d)), y, nan);
}

HWY_INLINE Vec Sigmoid(Tag d, Vec x) {
  const Vec one = hn::Set(d, 1.0f);
  return hn::Div(one, hn::Add(one, Exp(d, hn::Neg(x))));
}

HWY_INLINE Vec Tanh(Tag d, Vec x) { return hn::IfThenElse(hn::Ne(x, x), x, hn::Tanh(d, x)); }

// NaN in either operand gives NaN, as the scalar definition does.
HWY_INLINE Vec Maximum(Vec a, Vec b) {
  const Vec m = hn::IfThenElse(hn::Lt(a, b), b, a);
  return hn::IfThenElse(hn::Ne(b, b), b, m);
}
HWY_INLINE Vec Minimum(Vec a, Vec b) {
  const Vec m = hn::IfThenElse(hn::Lt(b, a), b, a);
  return hn::IfThenElse(hn::Ne(b, b), b, m);
}

// Round to nearest even to the grid of fp16; |x| >= 65520 becomes infinite.
// Adding and subtracting 1.5 * 2^23 * ulp rounds to a multiple of ulp = 2^max(e - 10, -24).
HWY_INLINE Vec RoundFp16(Tag d, Vec x) {
  const hn::RebindToUnsigned<Tag> du;
  const auto exponent = hn::And(hn::BitCast(du, x), hn::Set(du, 0x7F800000u));
  const auto least = hn::Set(du, (127u - 14u) << 23);
  const auto ulp = hn::Sub(hn::Max(exponent, least), hn::Set(du, 10u << 23));
  const auto safe = hn::Min(ulp, hn::Set(du, (127u + 6u) << 23));
  const Vec magic = hn::Mul(hn::BitCast(d, safe), hn::Set(d, 12582912.0f));
  const Vec rounded = hn::CopySign(hn::Sub(hn::Add(x, magic), magic), x);
  const Vec inf = hn::CopySign(hn::Set(d, std::numeric_limits<float>::infinity()), x);
  const Vec y = hn::IfThenElse(hn::Ge(hn::Abs(x), hn::Set(d, 65520.0f)), inf, rounded);
  return hn::IfThenElse(hn::Ne(x, x), x, y);
}

template <class Fn>
HWY_INLINE void Loop1(const Instruction& step, float* const* regs, int64_t count, const Fn& fn) {
  const Tag d;
  float* to = regs[step.to];
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  if (step.a.reg < 0) {
    const Vec y = fn(d, hn::Set(d, step.a.value));
    for (int64_t i = 0; i < count; i += lanes) {
      StorePart(y, d, to + i, static_cast<size_t>(std::min(lanes, count - i)));
    }
    return;
  }
  const float* a = regs[step.a.reg];
  int64_t i = 0;
  for (; i + lanes <= count; i += lanes) hn::StoreU(fn(d, hn::LoadU(d, a + i)), d, to + i);
  if (i < count) {
    const size_t rest = static_cast<size_t>(count - i);
    StorePart(fn(d, LoadPart(d, a + i, rest)), d, to + i, rest);
  }
}

template <bool kScalarA, bool kScalarB, class Fn>
HWY_INLINE void Loop2Variant(const Instruction& step, float* const* regs, int64_t count,
                             const Fn& fn) {
  const Tag d;
  float* to = regs[step.to];
  const float* a = kScalarA ? nullptr : regs[step.a.reg];
  const float* b = kScalarB ? nullptr : regs[step.b.reg];
  const Vec va = hn::Set(d, step.a.value), vb = hn::Set(d, step.b.value);
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  int64_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    Vec x = va, y = vb;
    if constexpr (!kScalarA) x = hn::LoadU(d, a + i);
    if constexpr (!kScalarB) y = hn::LoadU(d, b + i);
    hn::StoreU(fn(d, x, y), d, to + i);
  }
  if (i < count) {
    const size_t rest = static_cast<size_t>(count - i);
    Vec x = va, y = vb;
    if constexpr (!kScalarA) x = LoadPart(d, a + i, rest);
    if constexpr (!kScalarB) y = LoadPart(d, b + i, rest);
    StorePart(fn(d, x, y), d, to + i, rest);
  }
}

template <class Fn>
HWY_INLINE void Loop2(const Instruction& step, float* const* regs, int64_t count, const Fn& fn) {
  if (step.a.reg >= 0 && step.b.reg >= 0) {
    Loop2Variant<false, false>(step, regs, count, fn);
  } else if (step.a.reg >= 0) {
    Loop2Variant<false, true>(step, regs, count, fn);
  } else if (step.b.reg >= 0) {
    Loop2Variant<true, false>(step, regs, count, fn);
  } else {
    Loop2Variant<true, true>(step, regs, count, fn);
  }
}

void Select(const Instruction& step, float* const* regs, int64_t count) {
  const auto at = [&](const Operand& x, int64_t i) {
    return x.reg >= 0 ? regs[x.reg][i] : x.value;
  };
  float* to = regs[step.to];
  for (int64_t i = 0; i < count; ++i) {
    to[i] = at(step.a, i) != 0.0f ? at(step.b, i) : at(step.c, i);
  }
}

void Pow(const Instruction& step, float* const* regs, int64_t count) {
  float* to = regs[step.to];
  for (int64_t i = 0; i < count; ++i) {
    const float a = step.a.reg >= 0 ? regs[step.a.reg][i] : step.a.value;
    const float b = step.b.reg >= 0 ? regs[step.b.reg][i] : step.b.value;
    to[i] = std::pow(a, b);
  }
}

void RunUnary(const Instruction& s, float* const* regs, int64_t n) {
  switch (s.op) {
    case VectorOp::kSquare:
      return Loop1(s, regs, n, [](Tag, Vec x) HWY_ATTR { return hn::Mul(x, x); });
    case VectorOp::kSqrt:
      return Loop1(s, regs, n, [](Tag, Vec x) HWY_ATTR { return hn::Sqrt(x); });
    case VectorOp::kExp:
      return Loop1(s, regs, n, [](Tag d, Vec x) HWY_ATTR { return Exp(d, x); });
    case VectorOp::kSigmoid:
      return Loop1(s, regs, n, [](Tag d, Vec x) HWY_ATTR { return Sigmoid(d, x); });
    case VectorOp::kSilu:
      return Loop1(s, regs, n, [](Tag d, Vec x) HWY_ATTR { return hn::Mul(x, Sigmoid(d, x)); });
    case VectorOp::kTanh:
      return Loop1(s, regs, n, [](Tag d, Vec x) HWY_ATTR { return Tanh(d, x); });
    case VectorOp::kRelu:
      return Loop1(s, regs, n, [](Tag d, Vec x) HWY_ATTR { return Maximum(x, hn::Zero(d)); });
    case VectorOp::kTruncate:
      return Loop1(s, regs, n, [](Tag, Vec x) HWY_ATTR { return hn::Trunc(x); });
    case VectorOp::kNotZero:
      return Loop1(s, regs, n, [](Tag d, Vec x) HWY_ATTR {
        return hn::IfThenElse(hn::Ne(x, hn::Zero(d)), hn::Set(d, 1.0f), hn::Zero(d));
      });
    case VectorOp::kRoundFp16:
      return Loop1(s, regs, n, [](Tag d, Vec x) HWY_ATTR { return RoundFp16(d, x); });
    default:
      return Loop1(s, regs, n, [](Tag, Vec x) HWY_ATTR { return x; });
  }
}

void RunOne(const Instruction& s, float* const* regs, int64_t n) {
  switch (s.op) {
    case VectorOp::kAdd:
      return Loop2(s, regs, n, [](Tag, Vec x, Vec y) HWY_ATTR { return hn::Add(x, y); });
    case VectorOp::kSub:
      return Loop2(s, regs, n, [](Tag, Vec x, Vec y) HWY_ATTR { return hn::Sub(x, y); });
    case VectorOp::kMul:
      return Loop2(s, regs, n, [](Tag, Vec x, Vec y) HWY_ATTR { return hn::Mul(x, y); });
    case VectorOp::kDiv:
      return Loop2(s, regs, n, [](Tag, Vec x, Vec y) HWY_ATTR { return hn::Div(x, y); });
    case VectorOp::kMaximum:
      return Loop2(s, regs, n, [](Tag, Vec x, Vec y) HWY_ATTR { return Maximum(x, y); });
    case VectorOp::kMinimum:
      return Loop2(s, regs, n, [](Tag, Vec x, Vec y) HWY_ATTR { return Minimum(x, y); });
    case VectorOp::kRsqrt:
      return Loop2(s, regs, n, [](Tag d, Vec x, Vec y) HWY_ATTR {
        return hn::Div(hn::Set(d, 1.0f), hn::Sqrt(hn::Add(x, y)));
      });
    case VectorOp::kLog:
      return Loop2(s, regs, n, [](Tag d, Vec x, Vec y) HWY_ATTR { return Log(d, hn::Add(x, y)); });
    case VectorOp::kPow:
      return Pow(s, regs, n);
    case VectorOp::kSelect:
      return Select(s, regs, n);
    default:
      return RunUnary(s, regs, n);
  }
}

void RunProgram(const VectorProgram& program, float* const* registers, int64_t count) {
  for (const Instruction& step : program.code) RunOne(step, registers, count);
}

float Max(const float* x, int64_t count) {
  const Tag d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  Vec m = hn::Set(d, -std::numeric_limits<float>::infinity());
  int64_t i = 0;
  for (; i + lanes <= count; i += lanes) m = Maximum(m, hn::LoadU(d, x + i));
  alignas(64) float parts[HWY_LANES(float)];
  hn::Store(m, d, parts);
  float result = parts[0];
  for (int64_t k = 1; k < lanes; ++k) {
    if (parts[k] > result || std::isnan(parts[k])) result = parts[k];
  }
  for (; i < count; ++i) {
    if (x[i] > result || std::isnan(x[i])) result = x[i];
  }
  return result;
}

float Sum(const float* x, int64_t count) {
  const Tag d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  Vec s0 = hn::Zero(d), s1 = hn::Zero(d);
  int64_t i = 0;
  for (; i + 2 * lanes <= count; i += 2 * lanes) {
    s0 = hn::Add(s0, hn::LoadU(d, x + i));
    s1 = hn::Add(s1, hn::LoadU(d, x + i + lanes));
  }
  for (; i < count; i += lanes) {
    const size_t rest = static_cast<size_t>(std::min(lanes, count - i));
    s0 = hn::Add(s0, LoadPart(d, x + i, rest));
  }
  return hn::GetLane(hn::SumOfLanes(d, hn::Add(s0, s1)));
}

float ExpSum(float* x, float shift, int64_t count) {
  const Tag d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  const Vec s = hn::Set(d, shift);
  Vec sum = hn::Zero(d);
  int64_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    const Vec y = Exp(d, hn::Sub(hn::LoadU(d, x + i), s));
    hn::StoreU(y, d, x + i);
    sum = hn::Add(sum, y);
  }
  if (i < count) {
    const size_t rest = static_cast<size_t>(count - i);
    const Vec y = Exp(d, hn::Sub(LoadPart(d, x + i, rest), s));
    StorePart(y, d, x + i, rest);
    sum = hn::Add(sum, hn::IfThenElseZero(hn::FirstN(d, rest), y));
  }
  return hn::GetLane(hn::SumOfLanes(d, sum));
}

void Scale(float* x, float factor, int64_t count) {
  float* const regs[] = {x};
  RunOne({VectorOp::kMul, 0, {0, 0}, {-1, factor}, {}}, regs, count);
}

void MaxInto(float* to, const float* x, int64_t count) {
  float* const regs[] = {to, const_cast<float*>(x)};
  RunOne({VectorOp::kMaximum, 0, {0, 0}, {1, 0}, {}}, regs, count);
}

void SumInto(float* to, const float* x, int64_t count) {
  float* const regs[] = {to, const_cast<float*>(x)};
  RunOne({VectorOp::kAdd, 0, {0, 0}, {1, 0}, {}}, regs, count);
}

}  // namespace millwright::device::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace millwright::device::cpu {

HWY_EXPORT(RunProgram);
HWY_EXPORT(Max);
HWY_EXPORT(Sum);
HWY_EXPORT(ExpSum);
HWY_EXPORT(Scale);
HWY_EXPORT(MaxInto);
HWY_EXPORT(SumInto);

void RunVectorProgram(const VectorProgram& program, float* const* registers, int64_t count) {
  HWY_DYNAMIC_DISPATCH(RunProgram)(program, registers, count);
}
float VectorMax(const float* x, int64_t count) { return HWY_DYNAMIC_DISPATCH(Max)(x, count); }
float VectorSum(const float* x, int64_t count) { return HWY_DYNAMIC_DISPATCH(Sum)(x, count); }
float VectorExpSum(float* x, float shift, int64_t count) {
  return HWY_DYNAMIC_DISPATCH(ExpSum)(x, shift, count);
}
void VectorScale(float* x, float factor, int64_t count) {
  HWY_DYNAMIC_DISPATCH(Scale)(x, factor, count);
}
void VectorMaxInto(float* to, const float* x, int64_t count) {
  HWY_DYNAMIC_DISPATCH(MaxInto)(to, x, count);
}
void VectorSumInto(float* to, const float* x, int64_t count) {
  HWY_DYNAMIC_DISPATCH(SumInto)(to, x, count);
}

}  // namespace millwright::device::cpu
#endif  // HWY_ONCE
