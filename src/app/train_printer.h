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
void PrintReport(const train::RunTotals& totals, const runtime::CompileCounts& compiles,
                 int64_t steps);

// What --count-products found, a line a kernel, on stderr.
void PrintProducts(const runtime::Session<float>& session);

// Step, timing, gradient and checkpoint lines; progress with tokens/s and time left. On a terminal
// the progress line is rewritten in place, otherwise it is printed every ten seconds.
class TrainPrinter : public telemetry::Sink {
 public:
  TrainPrinter(int64_t first_step, int64_t total_steps);
  ~TrainPrinter() override;
  Status Write(const telemetry::Event& event) override;

 private:
  void Step(const telemetry::StepEvent& event);
  void Update(const telemetry::UpdateEvent& event);
  void Progress(const telemetry::StepEvent& event);
  void ClearProgress();

  int64_t first_step_, total_steps_;
  bool terminal_;
  bool shown_ = false;  // a progress line stands on the terminal
  double smoothed_loss_ = 0;
  float best_loss_ = std::numeric_limits<float>::infinity();
  double last_progress_ms_ = -1e9;
  Stopwatch watch_;
};

}  // namespace millwright::app
