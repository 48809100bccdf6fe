#include "train/network.h"

#include <algorithm>

#include "base/clock.h"
#include "kernels/adapters.h"
#include "kernels/weight_role.h"
#include "math/cross_entropy.h"
#include "math/embedding.h"
#include "train/freeze.h"
#include "train/overlap.h"
#include "train/residency.h"

namespace millwright::train {
namespace {

using kernels::KernelId;
using model::TensorRole;

// How many of `steps` are carried out as one: gradients of matrices that stand side by side, whose
// threads then need not wait for each other in between.
size_t StepsTogether(std::span<const PlanStep> steps) {
  const auto end = std::ranges::find_if_not(
      steps, [](const PlanStep& step) { return step.kind == StepKind::kWeightGradient; });
  return std::max<size_t>(1, static_cast<size_t>(end - steps.begin()));
}

}  // namespace

template <class T>
Result<std::unique_ptr<Network<T>>> Network<T>::Create(device::Device& device,
                                                       const NetworkOptions& options,
                                                       data::VocabMap vocab) {
  std::unique_ptr<Network> network(new Network(options, std::move(vocab)));
  auto status = network->Build(device);
  if (!status) return status.error();
  return network;
}

template <class T>
Status Network<T>::Build(device::Device& device) {
  gradient_operands_ = device.caps().gradient_operands;
  options_.offload.classes = vocab_.rows();
  options_.offload.last_class_bias = vocab_.LastRowBias();
  auto session = runtime::Session<T>::Open(
      device, {.config = options_.config,
               .binding = options_.binding,
               .residual_alpha = options_.residual_alpha,
               .lora = options_.lora,
               .fuse_attention_backward = options_.fuse_attention_backward,
               .batch = options_.batch,
               .only = options_.gradients
                           ? std::set<KernelId>()
                           : std::set{KernelId::kSdpaFwd, KernelId::kWoFwd, KernelId::kFfnFused,
                                      KernelId::kFinalRmsnorm, KernelId::kClassifierFwd},
               .offload = options_.offload});
  if (!session) return session.error();
  session_ = std::move(*session);
  parameters_ = std::make_unique<ParameterSet<T>>(
      options_.config, vocab_,
      ParameterOptions{
          .gradients = options_.gradients,
          .moments = options_.moments,
          .trained = [&](const auto& spec) { return !IsFrozen(options_.freeze, spec); },
          .lora = options_.lora});
  plan_ = MakePlan(session_->spec(), {.act_clip = options_.act_clip > 0,
                                      .residual_alpha = options_.residual_alpha != 1.0,
                                      .backward = options_.gradients,
                                      .recompute = options_.recompute,
                                      .trained = [this](TensorRole role, int64_t layer) {
                                        return parameters_->Get(role, layer).trained;
                                      }});
  gemm_ = std::make_unique<math::GemmEngine>(options_.gemm_table);
  rope_ = math::MakeRopeTables(options_.config.seq, options_.config.head_dim,
                               options_.config.rope_theta, options_.batch);
  for (const auto& [name, buffer] : plan_.buffers) {
    buffers_[name] = AlignedBuffer<T>(static_cast<size_t>(buffer.rows * buffer.columns));
  }
  logits_ = AlignedBuffer<T>(static_cast<size_t>(vocab_.rows() * positions()));
  if (device.caps().asynchronous) queue_ = std::make_unique<WorkQueue>();
  auto status = CompileAll();
  return status ? PrepareClassifier() : status;
}

// The executable form of the plan.
template <class T>
Status Network<T>::CompileAll() {
  // By the classifier, the embedding and Trainer::MakeStepEvent.
  const Residency residency = FindResidency(
      plan_, session_->spec(),
      {"x_final", "dy", "dq", "dk", "dv", fmt::format("x.{}", options_.config.layers)});
  for (const auto& [from, flows, to] : {std::tuple{&plan_.forward, &residency.forward, &forward_},
                                        {&plan_.backward, &residency.backward, &backward_}}) {
    const std::vector<int64_t> waits = StepsToWaitFor(*from, session_->spec());
    for (size_t i = 0, count = 0; i < from->size(); i += count) {
      // What a queue runs stays apart: a step may have to wait for one of them only.
      const auto rest = std::span(*from).subspan(i);
      count = queue_ == nullptr ? StepsTogether(rest) : 1;
      auto compiled = Compile(rest.first(count), (*flows)[i]);
      if (!compiled) return compiled.error();
      compiled->beside = queue_ != nullptr && RunsBeside(rest.front());
      compiled->wait_for = queue_ != nullptr ? waits[i] : 0;
      to->push_back(std::move(*compiled));
    }
  }
  return {};
}

template <class T>
T* Network<T>::Data(const PlanStep& step, const std::string& role) {
  return buffers_.at(step.buffers.at(role)).data();
}

template <class T>
Parameter<T>& Network<T>::ParameterOf(const PlanStep& step) {
  const bool final_norm = step.parameter == TensorRole::kFinalNorm;
  return parameters_->Get(step.parameter, final_norm ? -1 : step.layer);
}

template <class T>
Result<typename Network<T>::Step> Network<T>::CompileKernel(const PlanStep& step,
                                                            const runtime::OperandFlow& flow) {
  const auto run = [this, &step](size_t launch) {
    return Step{step.phase, true, [this, launch] { return session_->Run(launch); }};
  };
  const auto key = std::tuple(step.kernel, step.layer, step.parameter);
  if (const auto known = launches_.find(key); known != launches_.end()) return run(known->second);
  runtime::OperandMemory<T> memory;
  const kernels::Operands operands = kernels::Get(step.kernel).operands(session_->spec());
  for (const auto* list : {&operands.inputs, &operands.outputs}) {
    for (const kernels::Operand& operand : *list) {
      if (operand.weight) {
        const auto role = kernels::WeightRole(kernels::BaseWeight(operand));
        auto& weight = role ? parameters_->Get(*role, step.layer, operand.part) : ParameterOf(step);
        memory[operand.name] = weight.value.data();
      } else {
        memory[operand.name] = Data(step, operand.name);
      }
    }
  }
  auto launch = session_->Prepare(step.kernel, step.layer, memory, flow);
  if (!launch) return launch.error();
  launches_[key] = *launch;
  return run(*launch);
}

template <class T>
Result<typename Network<T>::Step> Network<T>::Compile(std::span<const PlanStep> steps,
                                                      const runtime::OperandFlow& flow) {
  const PlanStep& step = steps.front();
  if (step.kind == StepKind::kKernel) return CompileKernel(step, flow);
  return Step{step.phase, false, CompileHost(steps)};
}

template <class T>
double Network<T>::StagingMs() const {
  double total = 0;
  for (const kernels::KernelDef* kernel : kernels::AllKernels()) {
    total += session_->times(kernel->id).staging_ms;
  }
  return total;
}

template <class T>
Status Network<T>::RunSteps(const std::vector<Step>& steps, double* staging_ms) {
  const double before = StagingMs();
  std::vector<int64_t> tickets;  // of the steps that run beside these
  Status status;
  for (const Step& step : steps) {
    if (step.beside) {
      tickets.push_back(queue_->Push([this, &step]() -> Status {
        const Stopwatch watch;
        auto done = step.run();
        times_.beside_ms += watch.ms();
        return done;
      }));
      continue;
    }
    if (step.wait_for > 0) status = WaitFor(tickets[static_cast<size_t>(step.wait_for) - 1]);
    const Stopwatch watch;
    if (status) status = step.run();
    times_[step.phase] += watch.ms();
    if (!status) break;
  }
  // Also after a failure: nobody may free what the queue works on.
  if (!tickets.empty()) {
    const Status rest = WaitFor(tickets.back());
    if (status) status = rest;
  }
  *staging_ms += StagingMs() - before;
  return status;
}

template <class T>
Status Network<T>::WaitFor(int64_t ticket) {
  const Stopwatch watch;
  auto status = queue_->Wait(ticket);
  times_[Phase::kWeightGradient] += watch.ms();
  return status;
}

template <class T>
Status Network<T>::Forward(std::span<const int32_t> rows) {
  times_ = {};
  const Stopwatch watch;
  math::EmbedForward(options_.config.dim, rows,
                     parameters_->Get(TensorRole::kEmbedding).value.data(),
                     buffers_.at("x.0").data());
  times_.embedding_ms += watch.ms();
  return RunSteps(forward_, &times_.staging_forward_ms);
}

template <class T>
Result<double> Network<T>::Loss(std::span<const int32_t> rows, std::span<const int32_t> targets) {
  auto status = Forward(rows);
  if (status) status = ClassifierForward();
  if (!status) return status.error();
  return math::CrossEntropyLoss(vocab_.rows(), positions(), targets, vocab_.LastRowBias(),
                                logits_.data());
}

template <class T>
Status Network<T>::TokenLosses(std::span<const int32_t> rows, std::span<const int32_t> targets,
                               std::span<double> losses) {
  auto status = Forward(rows);
  if (status) status = ClassifierForward();
  if (!status) return status;
  math::CrossEntropyLosses(vocab_.rows(), positions(), targets, vocab_.LastRowBias(),
                           logits_.data(), losses);
  return {};
}

template <class T>
Result<double> Network<T>::LossAndGradient(std::span<const int32_t> rows,
                                           std::span<const int32_t> targets, double scale) {
  auto status = Forward(rows);
  if (status) status = ClassifierForward();
  if (!status) return status.error();
  auto loss = CrossEntropy(targets, scale);
  if (!loss) return loss.error();
  ClassifierBackward();
  status = RunSteps(backward_, &times_.staging_backward_ms);
  if (!status) return status.error();
  EmbeddingBackward(rows);
  parameters_->MarkGradients();
  // Weights that no launch asked for may still be on their way; an update comes next.
  status = session_->WaitForStaging();
  if (!status) return status.error();
  return loss;
}

template <class T>
Result<std::span<const T>> Network<T>::Logits(std::span<const int32_t> rows) {
  auto status = Forward(rows);
  if (status) status = ClassifierForward();
  if (!status) return status.error();
  return std::span<const T>(logits_.span());
}

template class Network<float>;
template class Network<double>;

}  // namespace millwright::train
