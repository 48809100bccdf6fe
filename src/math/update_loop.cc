#include "math/update_loop.h"

#include "base/clock.h"
#include "base/threads.h"
#include "math/simd.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "math/update_loop.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace millwright::math {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// `count` is a multiple of a vector.
void AddToAll(int64_t count, const float* HWY_RESTRICT g, float* HWY_RESTRICT w,
              float* HWY_RESTRICT m, float* HWY_RESTRICT v) {
  const hn::ScalableTag<float> d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  for (int64_t i = 0; i < count; i += lanes) {
    const auto gradient = hn::LoadU(d, g + i);
    hn::StoreU(hn::Add(hn::LoadU(d, w + i), gradient), d, w + i);
    hn::StoreU(hn::Add(hn::LoadU(d, m + i), gradient), d, m + i);
    hn::StoreU(hn::Add(hn::LoadU(d, v + i), gradient), d, v + i);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace millwright::math
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace millwright::math {
namespace {
HWY_EXPORT(AddToAll);

constexpr int64_t kCount = UpdateLoop::kBytes / (4 * sizeof(float));
constexpr int64_t kGrain = 1024;

}  // namespace

UpdateLoop::UpdateLoop() : w_(kCount), g_(kCount), m_(kCount), v_(kCount) {}

double UpdateLoop::Run() {
  const Stopwatch watch;
  ParallelFor(kCount, kGrain, [&](int64_t begin, int64_t end) {
    HWY_DYNAMIC_DISPATCH(AddToAll)
    (end - begin, g_.data() + begin, w_.data() + begin, m_.data() + begin, v_.data() + begin);
  });
  return watch.ms();
}

}  // namespace millwright::math
#endif  // HWY_ONCE
