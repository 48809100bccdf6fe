// Everything that a run's events go to.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "telemetry/event.h"

namespace millwright::app {

// Hands every event to all of its sinks, in the order in which they were added. One that fails is
// warned of on stderr, once, and gets the later events all the same: a disk may have room again.
class RunSinks : public telemetry::Sink {
 public:
  // The sink must outlive this one.
  void Add(telemetry::Sink& sink) { sinks_.push_back({&sink, false}); }

  // Never fails: watching a run does not end it.
  Status Write(const telemetry::Event& event) override;

 private:
  struct Entry {
    telemetry::Sink* sink = nullptr;
    bool warned = false;
  };
  std::vector<Entry> sinks_;
};

}  // namespace millwright::app
