// What a trainer saves and loads.
#include <filesystem>

#include "base/clock.h"
#include "checkpoint/peft_adapter.h"
#include "train/export.h"
#include "train/gemm_choices.h"
#include "train/trainer.h"

namespace millwright::train {
namespace {

using nlohmann::json;

Shape ShapeOf(const Parameter<float>& p) {
  if (p.spec.is_norm()) return {p.columns};
  return {p.rows, p.columns};
}

std::string Hex(uint64_t value) { return fmt::format("{:016x}", value); }

Status RequireEqual(const json& meta, const char* key, const json& now) {
  const json saved = meta.value(key, json());
  if (saved == now) return {};
  return BadInput("cannot resume: {} is {} now, but the run was started with {}", key, now.dump(),
                  saved.dump());
}

// What carries out the products, as far as other machines have another: that gives other bits.
std::string NameOfProducts(const TrainOptions& options, const math::GemmEngine& gemm) {
  const bool bf16 = options.precision == PrecisionName(Precision::kBf16);
  return gemm.TableName() + (bf16 && math::HasFastBf16() ? "+bf16" : "");
}

json ToJson(const RunTotals& totals) {
  return {{"processes", totals.processes},
          {"programs", totals.programs},
          {"compile_ms", totals.compile_ms},
          {"steps", totals.steps},
          {"train_ms", totals.train_ms},
          {"optimizer_ms", totals.optimizer_ms},
          {"telemetry_ms", totals.telemetry_ms},
          {"wall_ms", totals.wall_ms},
          {"launches", totals.kernels.runs},
          {"copies", totals.kernels.copies},
          {"copied_bytes", totals.kernels.copied_bytes},
          {"handed_on", totals.kernels.handed_on}};
}

// The totals of the processes before this one; where the state has none, it is the first.
RunTotals TotalsFromMeta(const json& meta) {
  RunTotals totals;
  const json saved = meta.value("totals", json());
  if (!saved.is_object()) return totals;
  const auto read = [&](const char* key, auto& to) {
    if (saved.contains(key) && saved[key].is_number()) saved[key].get_to(to);
  };
  read("processes", totals.processes);
  ++totals.processes;
  read("programs", totals.programs);
  read("compile_ms", totals.compile_ms);
  read("steps", totals.steps);
  read("train_ms", totals.train_ms);
  read("optimizer_ms", totals.optimizer_ms);
  read("telemetry_ms", totals.telemetry_ms);
  read("wall_ms", totals.wall_ms);
  read("launches", totals.kernels.runs);
  read("copies", totals.kernels.copies);
  read("copied_bytes", totals.kernels.copied_bytes);
  read("handed_on", totals.kernels.handed_on);
  return totals;
}

}  // namespace

json Trainer::Meta() const {
  const data::VocabMap& vocab = network_->vocab();
  json meta = {{"settings", ToJson(in_.options)},
               {"micro_steps", updated_step_},
               {"updates", updates_},
               {"adam_steps", adam_step_},
               {"loss_scale", loss_scale_.value()},
               {"loss_scale_good_updates", loss_scale_.good_updates()},
               {"last_loss", last_loss_},
               {"data_hash", Hex(in_.train->hash())},
               {"gemm_table", NameOfProducts(in_.options, network_->gemm())},
               {"gemm_choices", ToJson(network_->gemm().table())}};
  meta["active_ids"] =
      vocab.mode() == data::VocabMode::kFull ? json(json::array()) : json(vocab.active());
  AddToMeta(in_.origin, meta);
  if (validation_due_) meta["validation_due"] = true;
  if (budget_spent_) meta["totals"] = ToJson(totals());
  meta["best_val"] = best_val_ ? json(*best_val_) : json();
  meta["best_step"] = best_step_ ? json(*best_step_) : json();
  return meta;
}

std::vector<checkpoint::NamedTensor> Trainer::Weights() const {
  std::vector<checkpoint::NamedTensor> tensors;
  for (const Parameter<float>& p : network_->parameters().all()) {
    tensors.push_back({p.spec.name, ShapeOf(p), p.value.span()});
  }
  return tensors;
}

std::vector<checkpoint::NamedTensor> Trainer::Moments() const {
  std::vector<checkpoint::NamedTensor> tensors;
  for (const Parameter<float>& p : network_->parameters().all()) {
    if (!p.trained) continue;
    if (p.m_bf16.size() > 0) {
      tensors.push_back({p.spec.name + ".m", ShapeOf(p), p.m_bf16.span()});
      tensors.push_back({p.spec.name + ".v", ShapeOf(p), p.v_bf16.span()});
    } else {
      tensors.push_back({p.spec.name + ".m", ShapeOf(p), p.m.span()});
      tensors.push_back({p.spec.name + ".v", ShapeOf(p), p.v.span()});
    }
  }
  return tensors;
}

Status Trainer::Save(telemetry::Sink& sink) {
  const Stopwatch watch;
  if (last_val_step_ == updated_step_ && (!best_val_ || *last_val_ < *best_val_)) {
    best_val_ = last_val_;
    best_step_ = updated_step_;
  }
  const auto weights = Weights();
  const auto moments = Moments();
  auto status =
      checkpoint::WriteState(in_.run_dir, updated_step_, Meta(), weights, moments, best_step_);
  if (!status) return status;
  saved_step_ = updated_step_;
  checkpoint::HfExport options = ExportOptions(in_.options, in_.origin);
  options.extra_files = tokenizer_files_;
  status = checkpoint::WriteHfFolder(
      in_.run_dir + "/model", ExportConfig(in_.options.config, in_.origin),
      FullTensors(network_->parameters(), network_->vocab(), in_.options.seed, in_.options.lora),
      options);
  if (status && in_.options.lora.enabled()) {
    status = checkpoint::WritePeftFolder(in_.run_dir + "/adapter", in_.options.config,
                                         in_.options.lora, AdapterTensors(network_->parameters()),
                                         {.base_model = in_.origin.base});
  }
  if (!status) return status;
  return sink.Write(telemetry::CheckpointEvent{
      updated_step_, checkpoint::StatePath(in_.run_dir, updated_step_), watch.ms()});
}

Status Trainer::Load(const checkpoint::StateReader& state) {
  const json& meta = state.meta();
  const auto saved = OptionsFromJson(meta.value("settings", json()));
  if (!saved) return saved.error().In(state.path());
  auto same = RequireSameRun(*saved, in_.options);
  if (!same) return same.error().In(state.path());
  for (const auto& [key, now] :
       {std::pair{"data_hash", json(Hex(in_.train->hash()))},
        std::pair{"gemm_table", json(NameOfProducts(in_.options, network_->gemm()))}}) {
    auto equal = RequireEqual(meta, key, now);
    if (!equal) return equal.error().In(state.path());
  }
  const auto choices = GemmTableFromMeta(meta);
  if (!choices) return choices.error().In(state.path());
  if (*choices != network_->gemm().table()) {
    return BadInput(
        "{}: cannot resume: the products' implementations (gemm_choices) are others than those "
        "that the run was started with",
        state.path());
  }
  for (const char* key : {"micro_steps", "updates", "adam_steps", "loss_scale"}) {
    if (!meta.contains(key) || !meta[key].is_number()) {
      return BadInput("{}: state.json has no number {}", state.path(), key);
    }
  }
  step_ = updated_step_ = saved_step_ = meta["micro_steps"].get<int64_t>();
  updates_ = meta["updates"].get<int64_t>();
  adam_step_ = meta["adam_steps"].get<int64_t>();
  // States of before dynamic scales have no count.
  const json good = meta.value("loss_scale_good_updates", json(0));
  if (!good.is_number()) return BadInput("{}: loss_scale_good_updates is no number", state.path());
  loss_scale_ = LossScale(meta["loss_scale"].get<double>(), in_.options.dynamic_loss_scale,
                          good.get<int64_t>());
  auto origin = OriginFromMeta(meta);
  if (!origin) return origin.error().In(state.path());
  FillAbsent(in_.origin.tokens, origin->tokens);
  if (in_.one_dtype) origin->other_dtypes.clear();
  in_.origin = std::move(*origin);
  totals_ = TotalsFromMeta(meta);
  validation_due_ = meta.value("validation_due", json()) == true;
  if (meta.value("last_loss", json()).is_number()) last_loss_ = meta["last_loss"].get<float>();
  if (meta.value("best_val", json()).is_number() && meta.value("best_step", json()).is_number()) {
    best_val_ = meta["best_val"].get<double>();
    best_step_ = meta["best_step"].get<int64_t>();
  }
  for (Parameter<float>& p : network_->parameters().all()) {
    // Buffers that a tensor has not are those of another kind of moments, or of a frozen tensor.
    const auto read = [&](const char* suffix, auto& buffer) -> Status {
      if (buffer.size() == 0) return {};
      return state.Read(p.spec.name + suffix, ShapeOf(p), buffer.span());
    };
    auto status = read("", p.value);
    if (status) status = read(".m", p.m);
    if (status) status = read(".v", p.v);
    if (status) status = read(".m", p.m_bf16);
    if (status) status = read(".v", p.v_bf16);
    if (!status) return status;
  }
  return network_->StageWeights();
}

}  // namespace millwright::train
