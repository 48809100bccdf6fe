// How many threads the loops of this process use. Everything is parallelised with OpenMP, so one
// number governs our loops and the GEMM library alike.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <vector>

namespace millwright {

// Sets the number of threads for all later parallel loops; 0 means one per core. Returns the
// number.
int SetThreads(int threads);
int GetThreads();

// Calls fn(begin, end) on contiguous parts of [0, count), one a thread, statically partitioned in
// multiples of `grain`, so that results depend on the number of threads only.
template <class Fn>
void ParallelFor(int64_t count, int64_t grain, const Fn& fn) {
  const int64_t blocks = (count + grain - 1) / grain;
  const int64_t parts = blocks < GetThreads() ? blocks : GetThreads();
  if (parts <= 1) {
    if (count > 0) fn(int64_t{0}, count);
    return;
  }
#pragma omp parallel for schedule(static, 1) num_threads(static_cast<int>(parts))
  for (int64_t part = 0; part < parts; ++part) {
    const int64_t begin = part * blocks / parts * grain;
    const int64_t end = part + 1 == parts ? count : (part + 1) * blocks / parts * grain;
    fn(begin, end);
  }
}

// The thread's number within the loop that runs it, from 0; 0 outside of loops.
int ThreadOfLoop();

// Calls fn(unit, thread) for each of [0, count), each when a thread is free for it: for units that
// write apart from each other, so that results do not depend on who computes what. A thread that
// is held up then holds up one unit, not its share of all. `thread`, below GetThreads(), tells
// which of several scratches is the caller's.
template <class Fn>
void ParallelUnits(int64_t count, const Fn& fn) {
  const int64_t threads = count < GetThreads() ? count : GetThreads();
  if (threads <= 1) {
    for (int64_t unit = 0; unit < count; ++unit) fn(unit, 0);
    return;
  }
#pragma omp parallel for schedule(dynamic, 1) num_threads(static_cast<int>(threads))
  for (int64_t unit = 0; unit < count; ++unit) fn(unit, ThreadOfLoop());
}

// Calls fn(unit) for each of [0, count), on each thread for one after another of its own part, as
// ParallelFor divides them, and after that for what is left of the others': for units that are read
// from memory, which is fastest in order.
template <class Fn>
void ParallelRuns(int64_t count, const Fn& fn) {
  const int64_t threads = std::min<int64_t>(count, GetThreads());
  if (threads <= 1) {
    for (int64_t unit = 0; unit < count; ++unit) fn(unit);
    return;
  }
  struct alignas(64) Run {
    std::atomic<int64_t> next;
    int64_t end;
  };
  std::vector<Run> runs(static_cast<size_t>(threads));
  for (int64_t i = 0; i < threads; ++i) {
    Run& run = runs[static_cast<size_t>(i)];
    run.next = i * count / threads;
    run.end = (i + 1) * count / threads;
  }
#pragma omp parallel num_threads(static_cast<int>(threads))
  for (int64_t i = 0; i < threads; ++i) {
    Run& run = runs[static_cast<size_t>((ThreadOfLoop() + i) % threads)];
    for (int64_t unit = run.next++; unit < run.end; unit = run.next++) fn(unit);
  }
}

}  // namespace millwright
