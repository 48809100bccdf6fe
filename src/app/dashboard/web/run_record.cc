#include "app/dashboard/web/run_record.h"

#include <algorithm>

#include "telemetry/duration.h"
#include "telemetry/phase_split.h"

namespace millwright::app::web {
namespace {

template <class T>
void KeepNewest(std::deque<T>& list, size_t most) {
  while (list.size() > most) list.pop_front();
}

// Appends "prefix.name" columns; `names` holds the texts that `row` views.
void AddColumns(const std::string& prefix, const std::map<std::string, double>& values,
                std::deque<std::string>& names, StepTable::Row& row) {
  for (const auto& [name, value] : values) {
    row.emplace_back(names.emplace_back(prefix + name), value);
  }
}

}  // namespace

void RunRecord::Add(const telemetry::Event& event) {
  watch_.Add(event);
  std::visit([this](const auto& one) { Take(one); }, event);
}

void RunRecord::CutFrom(int64_t step) {
  ++rewinds_;
  for (StepTable* table : {&steps_, &updates_, &validations_, &system_}) table->CutFrom(step);
  health_.CutFrom(step);
  histograms_.CutFrom(step);
  std::erase_if(samples_, [step](const auto& sample) { return sample.step >= step; });
  if (kernels_ && kernels_->step >= step) kernels_.reset();
}

void RunRecord::Log(int64_t step, std::string kind, std::string text) {
  ++log_seen_;
  log_.push_back({step, std::move(kind), std::move(text)});
  KeepNewest(log_, kMostLogLines);
}

void RunRecord::Take(const telemetry::ConfigEvent& event) {
  const std::string what =
      event.first_step > 0 ? fmt::format("resumed after step {}", event.first_step) : "started";
  Log(event.first_step, "start", event.host.empty() ? what : what + " on " + event.host);
}

void RunRecord::Take(const telemetry::StepEvent& event) {
  if (!steps_.empty() && event.step <= steps_.last_step()) CutFrom(event.step);
  StepTable::Row row = {{"loss", event.loss},
                        {"lr", event.lr},
                        {"ms", event.ms},
                        {"tokens_per_s", event.tokens_per_s}};
  if (event.floor_share) row.emplace_back("floor_share", *event.floor_share);
  std::deque<std::string> names;
  if (!event.phases_ms.empty()) {
    for (const auto& [part, ms] : telemetry::SplitPhases(event, optimizer_ms_).parts()) {
      row.emplace_back(names.emplace_back(std::string("phase.") + part), ms);
    }
  }
  steps_.Append(event.step, row);
}

void RunRecord::Take(const telemetry::UpdateEvent& event) {
  const int64_t micro_steps = std::max<int64_t>(event.step - updates_.last_step(), 1);
  optimizer_ms_ = event.ms / static_cast<double>(micro_steps);
  StepTable::Row row = {
      {"grad_norm", event.grad_norm}, {"loss_scale", event.loss_scale}, {"optimizer_ms", event.ms}};
  std::deque<std::string> names;
  AddColumns("norm.", event.group_norms, names, row);
  updates_.Append(event.step, row);
  if (event.skipped) {
    Log(event.step, "skipped",
        fmt::format("update {} skipped: gradients were not finite", event.update));
  }
}

void RunRecord::Take(const telemetry::ValidationEvent& event) {
  validations_.Append(event.step, {{"val_loss", event.val_loss}});
  Log(event.step, "validation", fmt::format("validation loss {:.4f}", event.val_loss));
}

void RunRecord::Take(const telemetry::SampleEvent& event) {
  ++samples_seen_;
  samples_.push_back(event);
  KeepNewest(samples_, kMostSamples);
}

void RunRecord::Take(const telemetry::CheckpointEvent& event) {
  Log(event.step, "checkpoint",
      fmt::format("saved {} in {}", event.path, telemetry::ReadableDuration(event.ms / 1000)));
}

void RunRecord::Take(const telemetry::WarningEvent& event) {
  Log(event.step, "warning", event.message);
}

void RunRecord::Take(const telemetry::TensorsEvent& event) {
  health_.Add(event);
  histograms_.Add(event);
}

void RunRecord::Take(const telemetry::SystemEvent& event) {
  StepTable::Row row = {{"process_cpu", event.process_cpu}, {"machine_cpu", event.machine_cpu}};
  if (event.rss_bytes > 0) row.emplace_back("rss_bytes", event.rss_bytes);
  std::deque<std::string> names;
  AddColumns("watts.", event.watts, names, row);
  system_.Append(event.step, row);
}

void RunRecord::Take(const telemetry::EndEvent& event) {
  const std::string took = telemetry::ReadableDuration(event.wall_s);
  Log(event.step, "end",
      fmt::format("{} after {}{}{}", event.reason, took, event.message.empty() ? "" : ": ",
                  event.message));
}

}  // namespace millwright::app::web
