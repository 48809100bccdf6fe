#include "device/ane/port_order.h"

#include <algorithm>
#include <numeric>

namespace millwright::device::ane {
namespace {

constexpr int kFirstMacosBySize = 26;

}  // namespace

std::vector<size_t> PortOrder(const mil::Function& function, Side side, const Target& target) {
  const auto& ports = side == Side::kInputs ? function.inputs : function.outputs;
  std::vector<size_t> order(ports.size());
  std::iota(order.begin(), order.end(), size_t{0});
  const auto name = [&](size_t port) { return std::string_view(function.value(ports[port]).id); };
  const auto bytes = [&](size_t port) { return function.value(ports[port]).type.bytes(); };
  std::ranges::stable_sort(order, {}, name);
  if (target.chip != Chip::kM1 || target.macos < kFirstMacosBySize) return order;
  if (side == Side::kInputs) {
    std::ranges::stable_sort(order, {}, bytes);
  } else {
    std::ranges::stable_sort(order, std::ranges::greater(), bytes);
  }
  return order;
}

}  // namespace millwright::device::ane
