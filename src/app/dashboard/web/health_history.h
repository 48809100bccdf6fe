// How weights and gradients fared over a run, tensor by tensor, as a map over time.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "telemetry/event.h"

namespace millwright::app::web {

enum class Measure : uint8_t { kNorm, kLargest, kZeros, kNotFinite };
inline constexpr size_t kMeasures = 4;

struct HealthQuestion {
  bool gradients = true;  // else weights
  Measure measure = Measure::kNorm;
  std::string kind;  // "self_attn.q_proj": its row of each layer; empty: all tensors of a layer
                     // as one row, and each tensor of no layer
};
// Values are NaN where an event did not tell.
struct HealthMap {
  std::vector<int64_t> steps;              // columns
  std::vector<std::string> rows;           // "layer 3", "model.norm"
  std::vector<std::vector<float>> values;  // [row][column]
};

class HealthHistory {
 public:
  // Of a long run the resolution is halved whenever there are more events than this.
  static constexpr size_t kMostEvents = 1024;

  void Add(const telemetry::TensorsEvent& event);
  // Takes back what was told at `step` and after.
  void CutFrom(int64_t step);

  // At most `max_columns` columns; one that stands for several events shows the largest of them.
  HealthMap Draw(const HealthQuestion& question, size_t max_columns) const;

  // What tensors of layers are, in the order of the events: "self_attn.q_proj", ...
  std::vector<std::string> Kinds() const;
  const std::optional<telemetry::TensorsEvent>& latest() const { return latest_; }
  bool empty() const { return events_.empty(); }

 private:
  struct Tensor {
    std::string name, kind;
    int64_t layer = -1;
    double elements = 0;
  };
  // Of one tensor in one event: weights first, then gradients.
  using Cell = std::array<float, 2 * kMeasures>;
  struct Event {
    int64_t step = 0;
    std::vector<Cell> cells;  // by tensor; those that came later are missing
  };
  struct Row {
    std::string name;
    std::vector<size_t> tensors;
  };

  size_t IndexOf(const telemetry::TensorHealth& health);
  std::vector<Row> RowsOf(const std::string& kind) const;
  float Combine(const Event& event, const Row& row, const HealthQuestion& question) const;

  std::vector<Tensor> tensors_;
  std::map<std::string, size_t> index_;  // by name
  std::vector<Event> events_;
  std::optional<telemetry::TensorsEvent> latest_;
};

}  // namespace millwright::app::web
