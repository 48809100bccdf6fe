// A bare loop over memory with the traffic of AdamW: what an optimizer's time is compared with.
#pragma once

#include <cstdint>

#include "base/aligned.h"

namespace millwright::math {

// Four arrays that no cache holds, 512 MiB together, with as many threads as the optimizer.
class UpdateLoop {
 public:
  static constexpr uint64_t kBytes = uint64_t{512} << 20;

  UpdateLoop();

  int64_t count() const { return static_cast<int64_t>(w_.size()); }  // elements of each array

  // w += g, m += g, v += g: four arrays read and three written, 28 bytes an element. Returns its
  // milliseconds.
  double Run();

 private:
  AlignedBuffer<float> w_, g_, m_, v_;
};

}  // namespace millwright::math
