// A run on the terminal: on stdout the lines of the reference trainer, letter by letter, so that
// its dashboard and scripts read ours; on stderr a progress line.
#pragma once

#include <limits>
#include <string>

#include "base/clock.h"
#include "telemetry/event.h"
#include "train/network.h"
#include "train/options.h"
#include "train/trainer.h"

namespace millwright::app {

// The lines before the first step. The kernels line has the long form ("10 compiled, 8
// weight-bearing"), the FLOPs are printed in both forms that the reference ever had.
void PrintBanner(const train::TrainOptions& options, const runtime::CompileCounts& compiles,
                 const kernels::KernelSpec& spec);
// What is trained, where that is not everything.
void PrintTrained(const train::TrainOptions& options, const train::ParameterSet<float>& parameters);
void PrintData(const data::TokenSource& tokens, const data::VocabMap& vocab);
// Step, timing, gradient and checkpoint lines; progress with tokens/s and time left. On a terminal
// the progress line is rewritten in place, otherwise it is printed every ten seconds.
class TrainPrinter : public telemetry::Sink {
 public:
  // `compiles`, of a run that compiles anew after every update, adds the lines of the reference's
  // static pipeline: how long compiling and training took, and the parts of a step. Null: a run
  // that does not.
  TrainPrinter(int64_t first_step, int64_t total_steps,
               const runtime::CompileCounts* compiles = nullptr);
  ~TrainPrinter() override;
  Status Write(const telemetry::Event& event) override;

 private:
  void Step(const telemetry::StepEvent& event);
  void Update(const telemetry::UpdateEvent& event);
  void Batch();
  void Progress(const telemetry::StepEvent& event);
  void ClearProgress();

  // Sums over the micro-steps since the last update.
  struct BatchTimes {
    int64_t steps = 0;
    double ms = 0, kernels = 0, staging = 0, classifier = 0, elementwise = 0, norms = 0, dw = 0;
  };

  int64_t first_step_, total_steps_;
  const runtime::CompileCounts* compiles_;
  runtime::CompileCounts printed_compiles_;
  BatchTimes batch_;
  bool terminal_;
  bool shown_ = false;  // a progress line stands on the terminal
  double smoothed_loss_ = 0;
  float best_loss_ = std::numeric_limits<float>::infinity();
  double last_progress_ms_ = -1e9;
  Stopwatch watch_;
};

}  // namespace millwright::app
