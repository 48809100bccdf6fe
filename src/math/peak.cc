#include "math/peak.h"

#include <algorithm>
#include <chrono>

#include "base/threads.h"
#include "math/simd.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "math/peak.cc"
#include "hwy/aligned_allocator.h"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace millwright::math {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// More than latency (4) times ports (2) of any CPU of today; with their factors they fit in the 16
// registers of AVX2.
constexpr int64_t kChains = 12;

// Runs kChains independent chains of `steps` multiply-adds; returns their number times two. `seed`
// and `sink` keep the compiler from computing them beforehand.
HWY_NOINLINE double FmaChains(int64_t steps, float seed, float* sink) {
  const hn::ScalableTag<float> d;
  using V = hn::Vec<decltype(d)>;
  const V x = hn::Set(d, seed);
  const V y = hn::Set(d, 1.0f - seed);
  // Each chain starts elsewhere, or the compiler would see that they are one.
  const auto start = [&](float at) HWY_ATTR { return hn::Set(d, seed * at); };
  V a0 = start(0), a1 = start(1), a2 = start(2), a3 = start(3);
  V a4 = start(4), a5 = start(5), a6 = start(6), a7 = start(7);
  V a8 = start(8), a9 = start(9), a10 = start(10), a11 = start(11);
  for (int64_t i = 0; i < steps; ++i) {
    a0 = hn::MulAdd(a0, x, y), a1 = hn::MulAdd(a1, x, y);
    a2 = hn::MulAdd(a2, x, y), a3 = hn::MulAdd(a3, x, y);
    a4 = hn::MulAdd(a4, x, y), a5 = hn::MulAdd(a5, x, y);
    a6 = hn::MulAdd(a6, x, y), a7 = hn::MulAdd(a7, x, y);
    a8 = hn::MulAdd(a8, x, y), a9 = hn::MulAdd(a9, x, y);
    a10 = hn::MulAdd(a10, x, y), a11 = hn::MulAdd(a11, x, y);
  }
  const V low = hn::Add(hn::Add(a0, a1), hn::Add(a2, a3));
  const V middle = hn::Add(hn::Add(a4, a5), hn::Add(a6, a7));
  const V high = hn::Add(hn::Add(a8, a9), hn::Add(a10, a11));
  *sink = hn::GetLane(hn::SumOfLanes(d, hn::Add(hn::Add(low, middle), high)));
  return 2.0 * static_cast<double>(kChains * steps) * static_cast<double>(hn::Lanes(d));
}

// Reads `count` floats (a multiple of 8 vectors, aligned) once.
HWY_NOINLINE void ReadAll(int64_t count, const float* from, float* sink) {
  const hn::ScalableTag<float> d;
  using V = hn::Vec<decltype(d)>;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  V a = hn::Zero(d), b = a, c = a, e = a;
  for (int64_t i = 0; i + 4 * lanes <= count; i += 4 * lanes) {
    a = hn::Add(a, hn::Load(d, from + i));
    b = hn::Add(b, hn::Load(d, from + i + lanes));
    c = hn::Add(c, hn::Load(d, from + i + 2 * lanes));
    e = hn::Add(e, hn::Load(d, from + i + 3 * lanes));
  }
  *sink = hn::GetLane(hn::SumOfLanes(d, hn::Add(hn::Add(a, b), hn::Add(c, e))));
}

}  // namespace HWY_NAMESPACE
}  // namespace millwright::math
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace millwright::math {
namespace {

HWY_EXPORT(FmaChains);
HWY_EXPORT(ReadAll);

struct alignas(64) Sink {
  float value = 0;
};

// Rates, in units per second, of slices of `work` (which returns its units) that together take
// about `seconds`.
template <class Work>
FmaRate RatesOf(double seconds, const Work& work) {
  using Clock = std::chrono::steady_clock;
  const auto elapsed = [](Clock::time_point since) {
    return std::chrono::duration<double>(Clock::now() - since).count();
  };
  const auto start = Clock::now();
  double best = 0, total = 0;
  do {
    const auto slice = Clock::now();
    const double units = work();
    best = std::max(best, units / elapsed(slice));
    total += units;
  } while (elapsed(start) < seconds);
  return {best, total / elapsed(start)};
}

}  // namespace

FmaRate MeasureFmaRate(double seconds) {
  constexpr int64_t kSteps = 1 << 20;  // some milliseconds a slice
  const int threads = GetThreads();
  auto sinks = hwy::AllocateAligned<Sink>(static_cast<size_t>(threads));
  const auto slice = [&] {
    double flops = 0;
#pragma omp parallel for schedule(static, 1) num_threads(threads) reduction(+ : flops)
    for (int part = 0; part < threads; ++part) {
      flops += HWY_DYNAMIC_DISPATCH(FmaChains)(kSteps, 0.5f, &sinks[part].value);
    }
    return flops;
  };
  const FmaRate rate = RatesOf(seconds, slice);
  return {rate.best * 1e-9, rate.mean * 1e-9};
}

double MeasureReadBandwidth(double seconds) {
  constexpr int64_t kCount = int64_t{1} << 27;
  constexpr int64_t kGrain = 4096;
  auto buffer = hwy::AllocateAligned<float>(static_cast<size_t>(kCount));
  auto sinks = hwy::AllocateAligned<Sink>(static_cast<size_t>(GetThreads()));
  if (buffer == nullptr) return 0;
  // Each page is first touched by the thread that will read it.
  ParallelFor(kCount, kGrain, [&](int64_t begin, int64_t end) {
    std::fill(buffer.get() + begin, buffer.get() + end, 1.0f);
  });
  const auto slice = [&] {
    ParallelFor(kCount, kGrain, [&](int64_t begin, int64_t end) {
      float sum = 0;
      HWY_DYNAMIC_DISPATCH(ReadAll)(end - begin, buffer.get() + begin, &sum);
      sinks[begin * GetThreads() / kCount].value = sum;
    });
    return static_cast<double>(kCount) * sizeof(float);
  };
  return RatesOf(seconds, slice).best * 1e-9;
}

}  // namespace millwright::math
#endif  // HWY_ONCE
