// A network on a device: its parameters, activations and the executable form of the plan.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <tuple>
#include <vector>

#include "base/work_queue.h"
#include "math/gemm_table.h"
#include "math/rope.h"
#include "runtime/session.h"
#include "train/parameters.h"
#include "train/plan.h"

namespace millwright::train {

struct NetworkOptions {
  model::ModelConfig config;
  kernels::Binding binding = kernels::Binding::kSeparate;
  int64_t batch = 1;  // sequences a step, side by side in the columns of every activation
  double residual_alpha = 1.0;
  double act_clip = 0.0;  // 0: off
  Moments moments = Moments::kFull;
  bool gradients = true;            // false: forward alone; LossAndGradient must not be called
  bool recompute = false;           // see PlanOptions
  std::vector<std::string> freeze;  // tensors that are not trained: see freeze.h
  model::LoraConfig lora;
  bool fuse_attention_backward = true;
  kernels::Offload offload;  // `classes` and `last_class_bias` are those of the vocabulary
  std::shared_ptr<const math::GemmTable> gemm_table;  // of the products on the host; may be null
};

// Milliseconds of the last micro-step.
struct StepTimes {
  std::array<double, kPhases> phase_ms{};  // host time; kernels count under kForward, kBackward
  double staging_forward_ms = 0;
  double staging_backward_ms = 0;
  double classifier_ms = 0;
  double embedding_ms = 0;
  // Gradients of weights that were computed beside the device's work. Phase kWeightGradient is then
  // what the other steps waited for them.
  double beside_ms = 0;

  double& operator[](Phase phase) { return phase_ms[static_cast<size_t>(phase)]; }
  double operator[](Phase phase) const { return phase_ms[static_cast<size_t>(phase)]; }
};

// T is float for training; double with a device of precision `exact` for gradient checks.
template <class T>
class Network {
 public:
  // Compiles the kernels and binds every launch. The device must outlive the network.
  static Result<std::unique_ptr<Network>> Create(device::Device& device,
                                                 const NetworkOptions& options,
                                                 data::VocabMap vocab);

  ParameterSet<T>& parameters() { return *parameters_; }
  const data::VocabMap& vocab() const { return vocab_; }
  const model::ModelConfig& config() const { return options_.config; }
  const kernels::Offload& offload() const { return options_.offload; }
  const Plan& plan() const { return plan_; }
  const runtime::Session<T>& session() const { return *session_; }
  math::GemmEngine& gemm() { return *gemm_; }
  const StepTimes& times() const { return times_; }

  // Whether gradients of weights are computed beside the other steps: where the device leaves the
  // host free (Caps::asynchronous).
  bool overlaps() const { return queue_ != nullptr; }
  // How many were computed so, and handed out for it, since the network was made.
  int64_t finished_beside() const { return overlaps() ? queue_->finished() : 0; }
  int64_t pushed_beside() const { return overlaps() ? queue_->pushed() : 0; }

  // Call after parameters changed, before the next step.
  Status StageWeights() { return session_->StageWeights(); }

  // Positions of a step: batch * config.seq. Everything below takes the sequences one after
  // another.
  int64_t positions() const { return options_.batch * options_.config.seq; }

  // Mean cross-entropy of predicting targets[t] from the rows of its sequence up to t; both are
  // embedding rows (see VocabMap::MapTokens), positions() of each.
  Result<double> Loss(std::span<const int32_t> rows, std::span<const int32_t> targets);

  // The loss of every position, in nats: losses[t] = -log p(targets[t]). All spans have positions()
  // elements.
  Status TokenLosses(std::span<const int32_t> rows, std::span<const int32_t> targets,
                     std::span<double> losses);

  // Loss, and `scale` times its gradient in every trained parameter's gradient: added where the
  // parameters have gradients, else written over what is there.
  Result<double> LossAndGradient(std::span<const int32_t> rows, std::span<const int32_t> targets,
                                 double scale);

  // Final hidden states of `rows` times the classifier: logits [vocab rows, positions()],
  // valid until the next call.
  Result<std::span<const T>> Logits(std::span<const int32_t> rows);

  // A buffer of the plan, by name; for tests and diagnostics.
  std::span<T> Buffer(const std::string& name) { return buffers_.at(name).span(); }

 private:
  struct Step {
    Phase phase;
    bool kernel = false;
    std::function<Status()> run;
    // See overlap.h.
    bool beside = false;
    int64_t wait_for = 0;
  };

  // Of a matrix: dy x^T.
  struct Gradient {
    Parameter<T>* parameter = nullptr;
    const T* dy = nullptr;
    const T* x = nullptr;
  };

  Network(const NetworkOptions& options, data::VocabMap vocab)
      : options_(options), vocab_(std::move(vocab)) {}
  Status Build(device::Device& device);
  Status CompileAll();
  Result<Step> Compile(std::span<const PlanStep> steps, const runtime::OperandFlow& flow);
  Result<Step> CompileKernel(const PlanStep& step, const runtime::OperandFlow& flow);
  std::function<Status()> CompileHost(std::span<const PlanStep> steps);
  std::function<Status()> CompileElementwise(const PlanStep& step);
  std::function<Status()> CompileActClip(const PlanStep& step);
  std::function<Status()> CompileNorm(const PlanStep& step);
  std::function<Status()> CompileQueryKey(const PlanStep& step);
  void MultiplyGradients(const std::vector<Gradient>& gradients);
  std::function<Status()> CompileWeightGradients(std::span<const PlanStep> steps);
  std::function<Status()> CompileAdapterGradient(const PlanStep& step);
  Parameter<T>& ParameterOf(const PlanStep& step);
  T* GradientToAddTo(Parameter<T>& p) const;
  math::GemmShape GradientGemm(const Parameter<T>& p) const;
  T* Data(const PlanStep& step, const std::string& role);
  Status RunSteps(const std::vector<Step>& steps, double* staging_ms);
  Status WaitFor(int64_t ticket);
  Status PrepareClassifier();
  Status Forward(std::span<const int32_t> rows);
  Status ClassifierForward();
  Result<double> CrossEntropy(std::span<const int32_t> targets, double scale);
  void ClassifierBackward();
  void EmbeddingBackward(std::span<const int32_t> rows);
  double StagingMs() const;

  NetworkOptions options_;
  DType gradient_operands_ = DType::kFp32;  // see device::Caps
  data::VocabMap vocab_;
  Plan plan_;
  std::unique_ptr<ParameterSet<T>> parameters_;
  std::unique_ptr<runtime::Session<T>> session_;
  std::unique_ptr<math::GemmEngine> gemm_;
  math::RopeTables rope_;
  std::map<std::string, AlignedBuffer<T>> buffers_;
  AlignedBuffer<T> logits_;
  AlignedBuffer<T> probabilities_;  // where the device computes them
  using LaunchId = typename runtime::Session<T>::LaunchId;
  // A kernel's launch on a layer (and norm), which a recomputed forward step shares with the first
  // one.
  std::map<std::tuple<kernels::KernelId, int64_t, model::TensorRole>, LaunchId> launches_;
  std::vector<LaunchId> classifier_launches_;  // where the device has the classifier
  std::optional<LaunchId> softmax_launch_;
  std::vector<Step> forward_, backward_;
  StepTimes times_;
  std::unique_ptr<WorkQueue> queue_;  // last: its jobs use the others
};

}  // namespace millwright::train
