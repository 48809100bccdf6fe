#include "train/trainer.h"

#include <algorithm>
#include <cmath>

#include "data/windows.h"
#include "math/vector.h"
#include "telemetry/surroundings.h"
#include "train/evaluate.h"
#include "train/optimizer.h"
#include "train/schedule.h"

namespace millwright::train {
namespace {

// Whether a multiple of `every` lies in (before, now].
bool Crossed(int64_t before, int64_t now, int64_t every) { return before / every != now / every; }

// The ANE drops products that an fp16 number could hold, so that it needs a larger factor:
// docs/experiments/fp16-underflow.md.
double AutomaticLossScale(const TrainOptions& options, const device::Device& device) {
  if (device.caps().dtype != DType::kFp16) return 1.0;
  const bool ane = options.precision == PrecisionName(Precision::kAne) || device.name() == "ane";
  return ane ? 65536.0 : 256.0;
}

}  // namespace

Result<std::unique_ptr<Trainer>> Trainer::Create(RunInputs inputs, data::VocabMap vocab,
                                                 device::Device& device) {
  auto valid = train::Validate(inputs.options);
  if (!valid) return valid.error();
  std::unique_ptr<Trainer> trainer(new Trainer(std::move(inputs)));
  const TrainOptions& o = trainer->in_.options;
  auto network =
      Network<float>::Create(device,
                             {.config = o.config,
                              .binding = o.binding,
                              .batch = o.batch,
                              .residual_alpha = o.residual_alpha,
                              .act_clip = o.act_clip,
                              .moments = o.moments == "bf16" ? Moments::kBf16 : Moments::kFull,
                              .recompute = o.recompute,
                              .freeze = FrozenPatterns(o),
                              .lora = o.lora,
                              .offload = *kernels::ParseOffload(o.offload),
                              .gemm_table = trainer->in_.gemm_table},
                             std::move(vocab));
  if (!network) return network.error();
  trainer->network_ = std::move(*network);
  trainer->sampler_ =
      std::make_unique<data::Sampler>(o.seed, trainer->in_.train->size(), o.config.seq);
  trainer->telemetry_ = std::make_unique<RunTelemetry>(*trainer->network_, o.tensor_stats_every);
  trainer->window_.resize(static_cast<size_t>(o.config.seq + 1));
  trainer->rows_.resize(static_cast<size_t>(trainer->network_->positions()));
  trainer->targets_.resize(trainer->rows_.size());
  const double automatic = AutomaticLossScale(o, device);
  trainer->loss_scale_ =
      LossScale(o.loss_scale > 0 ? o.loss_scale : automatic, o.dynamic_loss_scale);
  return trainer;
}

Status Trainer::Init() {
  network_->parameters().Init(in_.options.seed, network_->vocab());
  return network_->StageWeights();
}

Status Trainer::InitFrom(const checkpoint::TensorSource& source) {
  const data::VocabMap& vocab = network_->vocab();
  for (Parameter<float>& p : network_->parameters().all()) {
    if (p.spec.part != model::LoraPart::kNone) {
      model::InitAdapter(p.spec, in_.options.seed, p.value.data());
      continue;
    }
    if (!p.spec.has_vocab_rows() || vocab.mode() == data::VocabMode::kFull) {
      auto status = source(p.spec, p.value.span());
      if (!status) return status;
      continue;
    }
    AlignedBuffer<float> full(static_cast<size_t>(NumElements(p.spec.shape)));
    auto status = source(p.spec, full.span());
    if (!status) return status;
    for (int64_t row = 0; row < p.rows; ++row) {
      const float* from = full.data() + FullEmbeddingRow(vocab, row) * p.columns;
      std::copy(from, from + p.columns, p.value.data() + row * p.columns);
    }
  }
  return network_->StageWeights();
}

// Reads a window of seq + 1 tokens as sequence `index` of the next step.
Status Trainer::ReadSequence(int64_t offset, int64_t index) {
  in_.train->Copy(offset, window_);
  const auto seq = window_.size() - 1, first = static_cast<size_t>(index) * seq;
  const std::span<const int32_t> tokens(window_);
  auto mapped =
      network_->vocab().MapTokens(tokens.first(seq), std::span(rows_).subspan(first, seq));
  if (mapped) {
    mapped =
        network_->vocab().MapTokens(tokens.subspan(1), std::span(targets_).subspan(first, seq));
  }
  if (!mapped) return mapped.error().In(in_.train->name());
  return {};
}

Result<double> Trainer::MicroStep() {
  const int64_t batch = in_.options.batch;
  for (int64_t b = 0; b < batch; ++b) {
    const int64_t offset = sampler_->Offset(static_cast<uint64_t>(step_ * batch + b));
    auto status = ReadSequence(offset, b);
    if (!status) return status.error();
  }
  return network_->LossAndGradient(rows_, targets_, loss_scale_.value());
}

// The rate of the update that the micro-step in progress belongs to.
double Trainer::CurrentLr() const {
  const TrainOptions& o = in_.options;
  const int64_t end = std::min((step_ / o.accum + 1) * o.accum, o.steps);
  return LearningRate(end - 1, o.lr, o.warmup, o.steps);
}

telemetry::StepEvent Trainer::MakeStepEvent(double loss, double ms) const {
  const StepTimes& t = network_->times();
  const double tokens = static_cast<double>(in_.options.config.seq * in_.options.batch);
  telemetry::StepEvent event;
  event.step = step_ + 1;
  event.loss = static_cast<float>(loss);
  event.lr = CurrentLr();
  event.ms = ms;
  event.tokens_per_s = tokens / ms * 1000.0;
  event.time = telemetry::WallClock();
  if (in_.floor_ms > 0 && ms > 0) event.floor_share = in_.floor_ms / ms;
  event.phases_ms = {{"forward", t[Phase::kForward] - t.staging_forward_ms},
                     {"backward", t[Phase::kBackward] - t.staging_backward_ms},
                     {"staging_forward", t.staging_forward_ms},
                     {"staging_backward", t.staging_backward_ms},
                     {"norm", t[Phase::kNorm]},
                     {"norm_backward", t[Phase::kNormBackward]},
                     {"elementwise", t[Phase::kElementwise]},
                     {"dw", t[Phase::kWeightGradient]},
                     {"classifier", t.classifier_ms},
                     {"embedding", t.embedding_ms}};
  if (in_.options.recompute) event.phases_ms["recompute"] = t[Phase::kRecompute];
  if (network_->overlaps()) event.phases_ms["dw_beside"] = t.beside_ms;
  if (step_ % 10 != 0) return event;
  const auto norm = [&](const char* name) {
    const std::span<float> values = network_->Buffer(name);
    return std::sqrt(math::SumOfSquares(static_cast<int64_t>(values.size()), values.data()));
  };
  const auto range = [&](const std::string& name, const std::string& key) {
    const std::span<float> values = network_->Buffer(name);
    const auto [low, high] = std::minmax_element(values.begin(), values.end());
    event.diagnostics[key + "_min"] = *low;
    event.diagnostics[key + "_max"] = *high;
  };
  range(fmt::format("x.{}", in_.options.config.layers), "x");
  range("dy", "dy");
  for (const char* name : {"dq", "dk", "dv"}) event.diagnostics[name] = norm(name);
  return event;
}

Status Trainer::UpdateWeights(telemetry::Sink& sink) {
  Stopwatch watch;
  const double lr = LearningRate(step_ - 1, in_.options.lr, in_.options.warmup, in_.options.steps);
  const double scale = 1.0 / (static_cast<double>(pending_) * loss_scale_.value());
  const GradientNorms norms = MeasureGradients(network_->parameters(), network_->vocab(), scale);
  telemetry::UpdateEvent event{
      .step = step_,
      .update = ++updates_,
      .grad_norm = norms.total,
      .lr = lr,
      .loss_scale = loss_scale_.value(),
      .skipped = !norms.finite,
      .ms = 0,
      .group_norms = {{"attn", norms.attn}, {"ffn", norms.ffn}, {"embed", norms.embed}}};
  event.ms = watch.ms();
  telemetry_->BeforeUpdate(event, scale);
  watch.Restart();
  pending_ = 0;
  updated_step_ = step_;
  last_loss_ = current_loss_;
  if (norms.finite) {
    Update(network_->parameters(), norms,
           {.lr = lr,
            .clip = in_.options.clip,
            .weight_decay = in_.options.weight_decay,
            .beta1 = in_.options.beta1,
            .beta2 = in_.options.beta2,
            .gradient_scale = scale,
            .adam_step = ++adam_step_});
    budget_spent_ = !network_->session().CanStage();
    auto staged = budget_spent_ ? Status() : network_->StageWeights();
    if (!staged) return staged;
  } else {
    network_->parameters().ClearGradients();
  }
  loss_scale_.Adjust(norms.finite);
  event.ms += watch.ms();
  totals_.optimizer_ms += event.ms;
  auto status = sink.Write(event);
  if (status) status = telemetry_->AfterUpdate(event, sink);
  if (!status || norms.finite) return status;
  return sink.Write(telemetry::WarningEvent{
      step_, fmt::format("non-finite gradients: update {} skipped, loss scale is now {}", updates_,
                         loss_scale_.value())});
}

Result<double> Trainer::Evaluate(const data::TokenSource& tokens, int64_t windows) {
  const int64_t seq = in_.options.config.seq;
  const int64_t count = std::min(windows, data::WindowCount(tokens.size(), seq));
  if (count == 0) {
    return BadInput("{}: {} tokens, fewer than one window of {}", tokens.name(), tokens.size(),
                    seq + 1);
  }
  const auto result =
      train::Evaluate(*network_, tokens, data::ConsecutiveWindows(count * seq + 1, seq));
  if (!result) return result.error();
  return result->loss;
}

Status Trainer::Validate(telemetry::Sink& sink) {
  auto loss = Evaluate(*in_.val, in_.options.val_windows);
  if (!loss) return loss.error();
  last_val_ = *loss;
  last_val_step_ = step_;
  return sink.Write(telemetry::ValidationEvent{step_, *loss, in_.options.val_windows});
}

// Micro-steps that were done before those of the update just made.
int64_t Trainer::StepBeforeUpdate() const {
  const int64_t accum = in_.options.accum;
  return step_ - (step_ % accum == 0 ? accum : step_ % accum);
}

bool Trainer::ValidationIsDue(bool last) const {
  return in_.val != nullptr && (last || Crossed(StepBeforeUpdate(), step_, in_.options.val_every));
}

// Validation first, so that a state knows how good it is.
Status Trainer::AfterUpdate(telemetry::Sink& sink, bool last) {
  // A sample would be one of weights that the device has not got.
  if (after_update_ && !budget_spent_) {
    auto status = after_update_(step_, sink);
    if (!status) return status;
  }
  if (ValidationIsDue(last)) {
    if (budget_spent_) {
      validation_due_ = true;
      return Save(sink);
    }
    auto status = Validate(sink);
    if (!status) return status;
  }
  if (budget_spent_ || last || Crossed(StepBeforeUpdate(), step_, in_.options.save_every)) {
    return Save(sink);
  }
  return {};
}

RunTotals Trainer::totals() const {
  RunTotals totals = totals_;
  totals.programs += network_->session().compiles().programs;
  totals.compile_ms += network_->session().compiles().ms;
  totals.wall_ms += wall_.ms();
  return totals;
}

Status Trainer::Step(telemetry::Sink& sink) {
  telemetry_->BeforeStep();
  const Stopwatch watch;
  const runtime::KernelTimes before = network_->session().total_times();
  auto loss = MicroStep();
  if (!loss) return loss.error();
  const double ms = watch.ms();
  totals_.kernels += network_->session().total_times() - before;
  totals_.train_ms += ms;
  ++totals_.steps;
  const telemetry::StepEvent event = MakeStepEvent(*loss, ms);
  totals_.telemetry_ms += watch.ms() - ms;
  auto status = sink.Write(event);
  if (status) status = telemetry_->AfterStep(event.step, ms, sink);
  if (!status) return status;
  current_loss_ = static_cast<float>(*loss);
  ++step_;
  ++pending_;
  return {};
}

Result<RunEnd> Trainer::RunLoop(telemetry::Sink& sink, const std::atomic<bool>& stop) {
  const TrainOptions& o = in_.options;
  if (validation_due_) {
    validation_due_ = false;
    auto status = Validate(sink);
    if (status) status = Save(sink);
    if (!status) return status.error();
  }
  while (step_ < o.steps && !stop && !budget_spent_) {
    auto status = Step(sink);
    if (!status) return status.error();
    const bool last = step_ == o.steps;
    if (step_ % o.accum != 0 && !last) continue;
    status = UpdateWeights(sink);
    if (status) status = AfterUpdate(sink, last);
    if (!status) return status.error();
  }
  auto status = telemetry_->Finish(step_, sink);
  if (status && saved_step_ != updated_step_) status = Save(sink);
  if (!status) return status.error();
  if (step_ == o.steps && !validation_due_) return RunEnd::kDone;
  return budget_spent_ && !stop ? RunEnd::kRestart : RunEnd::kInterrupted;
}

Result<RunEnd> Trainer::Run(telemetry::Sink& sink, const std::atomic<bool>& stop) {
  wall_.Restart();
  const double measured_before = telemetry_->ms();
  TimedSink timed(sink, totals_.telemetry_ms);
  auto end = RunLoop(timed, stop);
  totals_.telemetry_ms += telemetry_->ms() - measured_before;
  return end;
}

}  // namespace millwright::train
