// How the elements of each tensor were spread, over a run.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "telemetry/event.h"

namespace millwright::app::web {

// The histograms of one tensor. What was looked at and has none, as the gradient of a frozen
// tensor, is left out.
struct HistogramSeries {
  std::vector<int64_t> steps;
  std::vector<telemetry::Histogram> histograms;  // by step
};

// Takes about 250 bytes for each tensor and event.
class HistogramHistory {
 public:
  // Of a long run the resolution is halved whenever there are more events than this.
  static constexpr size_t kMostEvents = 256;

  void Add(const telemetry::TensorsEvent& event);
  // Takes back what was told at `step` and after.
  void CutFrom(int64_t step);

  // The tensors, in the order in which they were told.
  const std::vector<std::string>& names() const { return names_; }
  bool Knows(const std::string& name) const { return index_.contains(name); }

  // Those of the gradients or the weights of the tensor `name`: of at most `most` events at even
  // distances, the newest among them. Nothing for a name that no event told.
  HistogramSeries Of(const std::string& name, bool gradients, size_t most) const;

 private:
  struct Spread {
    float low = 0, high = 0;
    std::vector<uint32_t> counts;
  };
  struct Pair {
    Spread weight, gradient;
  };
  struct Event {
    int64_t step = 0;
    std::vector<Pair> tensors;  // by tensor; those that came later are missing
  };

  static Spread Compact(const telemetry::Histogram& histogram);

  std::vector<std::string> names_;
  std::map<std::string, size_t> index_;  // in names_
  std::vector<Event> events_;
};

}  // namespace millwright::app::web
