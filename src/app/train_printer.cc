#include "app/train_printer.h"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "app/efficiency_report.h"
#include "telemetry/duration.h"

namespace millwright::app {
namespace {

double Phase(const telemetry::StepEvent& event, const std::string& name) {
  const auto it = event.phases_ms.find(name);
  return it == event.phases_ms.end() ? 0.0 : it->second;
}

}  // namespace

void PrintBanner(const train::TrainOptions& o, const runtime::CompileCounts& compiles,
                 const kernels::KernelSpec& spec) {
  const model::ModelConfig& c = o.config;
  fmt::print("=== ANE Dynamic Training: {} ({} layers, GQA {}/{} heads) ===\n", c.title, c.layers,
             c.heads, c.kv_heads);
  fmt::print("dim={} hidden={} heads={} seq={} vocab={} layers={}\n", c.dim, c.hidden_dim, c.heads,
             c.seq, c.vocab, c.layers);
  fmt::print("dim={} q_dim={} kv_dim={} hd={} hidden={} seq={} vocab={}\n", c.dim, c.q_dim(),
             c.kv_dim(), c.head_dim, c.hidden_dim, c.seq, c.vocab);
  const auto millions = [](int64_t n) { return static_cast<double>(n) / 1e6; };
  fmt::print("Params: {:.1f}M (transformer {:.1f}M + embed {:.1f}M)\n", millions(c.params()),
             millions(c.transformer_params()), millions(c.vocab_tensors() * c.embedding_params()));
  int64_t kernels_count = 0, weighted = 0;
  for (const kernels::KernelDef* kernel : kernels::TrainingKernels()) {
    const kernels::Operands operands = kernel->operands(spec);
    ++kernels_count;
    bool weights = false;
    for (const kernels::Operand& operand : operands.inputs) weights |= operand.weight;
    weighted += weights;
  }
  fmt::print(
      "Kernels: {} compiled, {} weight-bearing (sdpaFwd+woFwd, ffnFused, ffnBwdW2t+W13t, wotBwd, "
      "sdpaBwd1+2, qBwd+kvBwd)\n",
      kernels_count, weighted);
  fmt::print("Accum {} steps, LR={:g}\n", o.accum, o.lr);
  if (o.batch > 1) {
    fmt::print("Batch {} sequences: {} tokens a micro-step\n", o.batch, spec.columns());
  }
  const double forward = ForwardMegaflops(o);
  fmt::print("FLOPs/step: fwd={:.1f}M total={:.1f}M\n", forward, 3 * forward);
  fmt::print("FLOPs/step: fwd={:.1f}M bwd_dx={:.1f}M bwd_dW={:.1f}M sdpa_bwd=0.0M total={:.1f}M\n",
             forward, forward, forward, 3 * forward);
  fmt::print("ANE FLOPs/step: {:.1f}M\n", 2 * forward);
  fmt::print("Compiled {} kernels in {:.0f}ms (shared across all {} layers)\n", kernels_count,
             compiles.ms, c.layers);
}

void PrintTrained(const train::TrainOptions& o, const train::ParameterSet<float>& parameters) {
  if (parameters.trained_count() == parameters.count()) return;
  if (o.lora.enabled()) {
    fmt::print("LoRA: rank {}, alpha {:g}, {}\n", o.lora.rank, o.lora.alpha,
               model::LoraTargetNames(o.lora));
  }
  fmt::print("Trained: {:.3f}M of {:.3f}M parameters\n",
             static_cast<double>(parameters.trained_count()) / 1e6,
             static_cast<double>(parameters.count()) / 1e6);
}

void PrintData(const data::TokenSource& tokens, const data::VocabMap& vocab) {
  fmt::print("Token data: {} tokens ({:.1f} MB)\n", tokens.size(),
             static_cast<double>(tokens.size()) * 2 / 1e6);
  if (vocab.mode() == data::VocabMode::kFull) return;
  const auto active = static_cast<double>(vocab.active().size());
  fmt::print("Vocab compaction: {} → {} active tokens ({:.1f}x reduction)\n", vocab.vocab(),
             vocab.active().size(), static_cast<double>(vocab.vocab()) / active);
}

TrainPrinter::TrainPrinter(int64_t first_step, int64_t total_steps,
                           const runtime::CompileCounts* compiles)
    : first_step_(first_step),
      total_steps_(total_steps),
      compiles_(compiles),
      terminal_(isatty(STDERR_FILENO) != 0) {}

TrainPrinter::~TrainPrinter() { ClearProgress(); }

void TrainPrinter::ClearProgress() {
  if (shown_) fmt::print(stderr, "\r\x1b[K");
  shown_ = false;
}

void TrainPrinter::Step(const telemetry::StepEvent& e) {
  smoothed_loss_ = smoothed_loss_ == 0 ? e.loss : 0.95 * smoothed_loss_ + 0.05 * e.loss;
  best_loss_ = std::min(best_loss_, e.loss);
  ++batch_.steps;
  batch_.ms += e.ms;
  batch_.kernels += Phase(e, "forward") + Phase(e, "backward");
  batch_.staging += Phase(e, "staging_forward") + Phase(e, "staging_backward");
  batch_.classifier += Phase(e, "classifier");
  batch_.elementwise += Phase(e, "elementwise");
  batch_.norms += Phase(e, "norm") + Phase(e, "norm_backward");
  batch_.dw += Phase(e, "dw");
  if (e.diagnostics.empty()) return Progress(e);
  ClearProgress();
  const auto& d = e.diagnostics;
  fmt::print("    L0 sdpa_bwd: |dq|={:.6f} |dk|={:.6f} |dv|={:.6f}\n", d.at("dq"), d.at("dk"),
             d.at("dv"));
  fmt::print(
      "  timing: ane_fwd={:.1f} io_fwd={:.1f} rms={:.1f} ane_bwd={:.1f} io_bwd={:.1f} silu={:.1f} "
      "rms_bwd={:.1f} cls={:.1f} cblas_wait={:.1f} dw_copy=0.0\n",
      Phase(e, "forward"), Phase(e, "staging_forward"), Phase(e, "norm"), Phase(e, "backward"),
      Phase(e, "staging_backward"), Phase(e, "elementwise"), Phase(e, "norm_backward"),
      Phase(e, "classifier"), Phase(e, "dw"));
  fmt::print(
      "step {:<4} loss={:.4f}  lr={:.2e}  {:.1f}ms/step  x[{:.2f},{:.2f}] dy[{:.3e},{:.3e}]\n",
      e.step - 1, e.loss, e.lr, e.ms, d.at("x_min"), d.at("x_max"), d.at("dy_min"), d.at("dy_max"));
  std::fflush(stdout);
  Progress(e);
}

// The lines of the static pipeline, for the update's micro-steps.
void TrainPrinter::Batch() {
  if (compiles_ == nullptr || batch_.steps == 0) return;
  ClearProgress();
  const auto steps = static_cast<double>(batch_.steps);
  fmt::print("  [batch {}: compile={:.0f}ms train={:.1f}ms ({:.1f}ms/step) compiles={}]\n",
             batch_.steps, compiles_->ms - printed_compiles_.ms, batch_.ms, batch_.ms / steps,
             compiles_->programs);
  fmt::print(
      "    ane={:.1f} io={:.1f} cls={:.1f} elem={:.1f} rms={:.1f} cblas_wait={:.1f} ms/step\n",
      batch_.kernels / steps, batch_.staging / steps, batch_.classifier / steps,
      batch_.elementwise / steps, batch_.norms / steps, batch_.dw / steps);
  printed_compiles_ = *compiles_;
  batch_ = {};
}

void TrainPrinter::Update(const telemetry::UpdateEvent& e) {
  Batch();
  if (e.step % 10 != 0) return;
  ClearProgress();
  const auto group = [&](const char* name) {
    const auto it = e.group_norms.find(name);
    return it == e.group_norms.end() ? 0.0 : it->second;
  };
  fmt::print("  grad_norm={:.4f}  attn={:.4f} ffn={:.4f} embed={:.4f}\n", e.grad_norm,
             group("attn"), group("ffn"), group("embed"));
  std::fflush(stdout);
}

void TrainPrinter::Progress(const telemetry::StepEvent& e) {
  const double now = watch_.ms();
  const bool last = e.step == total_steps_;
  if (!last && now - last_progress_ms_ < (terminal_ ? 100 : 10000)) return;
  last_progress_ms_ = now;
  const auto done = static_cast<double>(e.step - first_step_);
  const double left = now / 1000 / done * static_cast<double>(total_steps_ - e.step);
  const std::string line = fmt::format(
      "step {}/{}  loss {:.4f}  smoothed {:.4f}  {:.0f} tokens/s  {} left", e.step, total_steps_,
      e.loss, smoothed_loss_, e.tokens_per_s, telemetry::ReadableDuration(left));
  if (terminal_) {
    fmt::print(stderr, "\r\x1b[K{}", line);
    shown_ = true;
  } else {
    fmt::print(stderr, "{}\n", line);
  }
}

Status TrainPrinter::Write(const telemetry::Event& event) {
  if (const auto* step = std::get_if<telemetry::StepEvent>(&event)) {
    Step(*step);
  } else if (const auto* update = std::get_if<telemetry::UpdateEvent>(&event)) {
    Update(*update);
  } else if (const auto* validation = std::get_if<telemetry::ValidationEvent>(&event)) {
    ClearProgress();
    fmt::print("  [validation step {}: val_loss={:.4f}]\n", validation->step, validation->val_loss);
    std::fflush(stdout);
  } else if (const auto* sample = std::get_if<telemetry::SampleEvent>(&event)) {
    ClearProgress();
    fmt::print("  [sample step {}: {}{}]\n", sample->step, sample->prompt, sample->text);
    std::fflush(stdout);
  } else if (std::holds_alternative<telemetry::CheckpointEvent>(event)) {
    ClearProgress();
    fmt::print("  [ckpt saved, best_loss={:.4f}]\n", best_loss_);
    std::fflush(stdout);
  } else if (const auto* warning = std::get_if<telemetry::WarningEvent>(&event)) {
    ClearProgress();
    fmt::print(stderr, "warning: step {}: {}\n", warning->step, warning->message);
  }
  return {};
}

}  // namespace millwright::app
