// What kernels cost.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/product_counters.h"

namespace millwright::runtime {

struct KernelTimes {
  int64_t runs = 0;
  // Operands that were copied between host memory and surfaces (and converted, where the element
  // types differ), weights apart; their bytes on the device; and those that came from another
  // kernel without passing through the host.
  int64_t copies = 0;
  int64_t copied_bytes = 0;
  int64_t handed_on = 0;
  double device_ms = 0;
  double staging_ms = 0;
  ProductCounts products;  // where the device counts them

  void CountCopy(size_t bytes) {
    ++copies;
    copied_bytes += static_cast<int64_t>(bytes);
  }

  KernelTimes& operator+=(const KernelTimes& other) {
    runs += other.runs;
    copies += other.copies;
    copied_bytes += other.copied_bytes;
    handed_on += other.handed_on;
    device_ms += other.device_ms;
    staging_ms += other.staging_ms;
    products += other.products;
    return *this;
  }

  // What was added since `earlier`.
  KernelTimes operator-(const KernelTimes& earlier) const {
    return {.runs = runs - earlier.runs,
            .copies = copies - earlier.copies,
            .copied_bytes = copied_bytes - earlier.copied_bytes,
            .handed_on = handed_on - earlier.handed_on,
            .device_ms = device_ms - earlier.device_ms,
            .staging_ms = staging_ms - earlier.staging_ms,
            .products = products - earlier.products};
  }
};

}  // namespace millwright::runtime
