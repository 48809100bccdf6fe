#include "device/cpu/plan.h"

#include <algorithm>

namespace millwright::device::cpu {
namespace {

constexpr int64_t kArenaGrain = 64 / sizeof(float);

}  // namespace

std::vector<Life> ArenaLives(const Plan& plan) {
  std::vector<Life> lives(plan.buffers.size());
  int first = 0, last = 0;
  for (size_t i = 0; i < plan.steps.size(); ++i) {
    if (plan.together[i] > 0) {
      first = static_cast<int>(i);
      last = first + plan.together[i] - 1;
    }
    for (int buffer : plan.steps[i]->Buffers()) {
      Life& life = lives[static_cast<size_t>(buffer)];
      if (life.first < 0) life.first = first;
      life.last = last;
    }
  }
  for (size_t i = 0; i < lives.size(); ++i) lives[i].buffer = static_cast<int>(i);
  std::erase_if(lives, [&](const Life& life) {
    return life.first < 0 ||
           plan.buffers[static_cast<size_t>(life.buffer)].kind != BufferKind::kArena;
  });
  return lives;
}

int Plan::Add(BufferKind kind, size_t index, int64_t elements) {
  buffers.push_back({kind, index, elements, -1});
  return static_cast<int>(buffers.size()) - 1;
}

void PlaceBuffers(Plan& plan) {
  const auto size = [&](const Life& life) {
    const int64_t elements = plan.buffers[static_cast<size_t>(life.buffer)].elements;
    return (elements + kArenaGrain - 1) / kArenaGrain * kArenaGrain;
  };
  std::vector<Life> lives = ArenaLives(plan);
  std::stable_sort(lives.begin(), lives.end(),
                   [&](const Life& a, const Life& b) { return size(a) > size(b); });
  std::vector<Life> placed;  // by place
  for (const Life& life : lives) {
    int64_t place = 0;
    for (const Life& other : placed) {
      if (other.last < life.first || life.last < other.first) continue;
      const int64_t at = plan.buffers[static_cast<size_t>(other.buffer)].place;
      if (place + size(life) <= at) break;
      place = std::max(place, at + size(other));
    }
    plan.buffers[static_cast<size_t>(life.buffer)].place = place;
    plan.arena_elements = std::max(plan.arena_elements, place + size(life));
    placed.push_back(life);
    std::stable_sort(placed.begin(), placed.end(), [&](const Life& a, const Life& b) {
      return plan.buffers[static_cast<size_t>(a.buffer)].place <
             plan.buffers[static_cast<size_t>(b.buffer)].place;
    });
  }
}

}  // namespace millwright::device::cpu
