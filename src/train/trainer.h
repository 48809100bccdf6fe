// The training loop: micro-steps, updates, validation, states.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "checkpoint/hf_folder.h"
#include "checkpoint/training_state.h"
#include "data/sampler.h"
#include "data/token_source.h"
#include "device/device.h"
#include "telemetry/event.h"
#include "train/loss_scale.h"
#include "train/network.h"
#include "train/options.h"
#include "train/origin.h"
#include "train/run_telemetry.h"

namespace millwright::train {

// What a run works on.
struct RunInputs {
  TrainOptions options;
  std::shared_ptr<const data::TokenSource> train;
  std::shared_ptr<const data::TokenSource> val;  // may be null
  std::string run_dir;
  Origin origin;  // kept in the state
  // The device's, which the host's products follow too; kept in the state. May be null.
  std::shared_ptr<const math::GemmTable> gemm_table;
  // What the products of a micro-step take at the machine's FMA rate; 0: not known.
  double floor_ms = 0;
  bool one_dtype = false;  // a resumed run's model/ has no other_dtypes, whatever its state says
};

enum class RunEnd {
  kDone,
  kInterrupted,
  kRestart,  // the process may compile no more programs; another one goes on from the state
};

// Totals of this process and of those whose compile budget it goes on with, for the report at the
// end.
struct RunTotals {
  int64_t processes = 1;
  int64_t programs = 0;
  double compile_ms = 0;
  int64_t steps = 0;
  double train_ms = 0;      // micro-steps
  double optimizer_ms = 0;  // updates and staging
  double telemetry_ms = 0;  // measuring and writing events
  double wall_ms = 0;
  runtime::KernelTimes kernels;  // in micro-steps
};

class Trainer {
 public:
  // Compiles the kernels and allocates. The device must outlive the trainer.
  static Result<std::unique_ptr<Trainer>> Create(RunInputs inputs, data::VocabMap vocab,
                                                 device::Device& device);

  // First values for a run from scratch.
  Status Init();

  // First values from a model: `source` yields its tensors in this config's rotary layout. With a
  // compacted vocabulary the active words' rows are taken. Adapters get first values of their own.
  Status InitFrom(const checkpoint::TensorSource& source);

  // Weights, moments and position of a saved run. The state must be of the same config, data and
  // GEMM table, or the run could not go on bit by bit; what differs is named.
  Status Load(const checkpoint::StateReader& state);

  // Files that every model/ gets a copy of: the tokenizer.
  void SetTokenizerFiles(std::vector<std::string> files) { tokenizer_files_ = std::move(files); }

  // Called after every update, before validation and saving, with the micro-steps that are done; it
  // may write events of its own. What it returns, Run returns.
  using AfterUpdateHook = std::function<Status(int64_t step, telemetry::Sink& sink)>;
  void SetAfterUpdate(AfterUpdateHook hook) { after_update_ = std::move(hook); }

  // Runs to the last micro-step, or until `stop` is set: then the micro-step in progress is
  // finished and the state of the last update saved. Saves the state and model/ at the end too.
  // Where the weights of an update cannot be brought to the device any more (Session::CanStage),
  // the state is saved and the end is kRestart.
  Result<RunEnd> Run(telemetry::Sink& sink, const std::atomic<bool>& stop);

  // Mean loss over the first `windows` windows of `tokens`.
  Result<double> Evaluate(const data::TokenSource& tokens, int64_t windows);

  int64_t micro_steps_done() const { return step_; }
  RunTotals totals() const;
  Network<float>& network() { return *network_; }

 private:
  Trainer(RunInputs inputs) : in_(std::move(inputs)), loss_scale_(1.0) {}

  Result<double> MicroStep();
  Status ReadSequence(int64_t offset, int64_t index);
  Result<RunEnd> RunLoop(telemetry::Sink& sink, const std::atomic<bool>& stop);
  Status Step(telemetry::Sink& sink);
  Status UpdateWeights(telemetry::Sink& sink);
  Status Validate(telemetry::Sink& sink);
  Status Save(telemetry::Sink& sink);
  Status AfterUpdate(telemetry::Sink& sink, bool last);
  bool ValidationIsDue(bool last) const;
  int64_t StepBeforeUpdate() const;
  telemetry::StepEvent MakeStepEvent(double loss, double ms) const;
  double CurrentLr() const;
  nlohmann::json Meta() const;
  std::vector<checkpoint::NamedTensor> Weights() const;
  std::vector<checkpoint::NamedTensor> Moments() const;

  RunInputs in_;
  std::vector<std::string> tokenizer_files_;
  std::unique_ptr<Network<float>> network_;
  std::unique_ptr<data::Sampler> sampler_;
  std::unique_ptr<RunTelemetry> telemetry_;
  AfterUpdateHook after_update_;
  std::vector<int32_t> window_;          // of one sequence
  std::vector<int32_t> rows_, targets_;  // of a step
  LossScale loss_scale_;
  int64_t step_ = 0;          // micro-steps done
  int64_t updated_step_ = 0;  // micro-steps done at the last update: what a state is of
  int64_t adam_step_ = 0;
  int64_t updates_ = 0;
  int64_t saved_step_ = -1;
  int64_t pending_ = 0;     // micro-steps accumulated since the last update
  float last_loss_ = 0;     // of the last micro-step before the last update
  float current_loss_ = 0;  // of the last micro-step
  std::optional<double> last_val_, best_val_;
  std::optional<int64_t> last_val_step_, best_step_;
  bool budget_spent_ = false;    // weights of the last update are not on the device
  bool validation_due_ = false;  // of the last update, when it could not be made
  RunTotals totals_;             // without the compiles and the wall time of this process
  Stopwatch wall_;               // since Run() began
};

}  // namespace millwright::train
