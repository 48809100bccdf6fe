#include "mil/ops/sort.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace millwright::mil {

std::vector<int64_t> SortedLine(const std::vector<double>& data, const AxisSplit& split,
                                int64_t line, bool ascending) {
  const double* first = data.data() + split.First(line);
  std::vector<int64_t> order(static_cast<size_t>(split.length));
  std::iota(order.begin(), order.end(), 0);
  std::ranges::stable_sort(order, [&](int64_t i, int64_t j) {
    const double a = first[i * split.inner];
    const double b = first[j * split.inner];
    if (std::isnan(a) || std::isnan(b)) return !std::isnan(a);
    return ascending ? a < b : a > b;
  });
  return order;
}

}  // namespace millwright::mil
