// Keeping a long history small.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

namespace millwright::app::web {

// Leaves every other one of more than `most`, the newest among them.
template <class Event>
void ThinOut(std::vector<Event>& events, size_t most) {
  if (events.size() <= most) return;
  size_t kept = 0;
  for (size_t i = 1 - events.size() % 2; i < events.size(); i += 2) {
    std::swap(events[kept++], events[i]);
  }
  events.erase(events.begin() + static_cast<std::ptrdiff_t>(kept), events.end());
}

}  // namespace millwright::app::web
