#include "app/dashboard/web/status_json.h"

#include <fmt/format.h>

#include <string_view>

#include "app/dashboard/web/json_text.h"

namespace millwright::app::web {
namespace {

// A JSON object, field by field.
class Object {
 public:
  void Raw(std::string_view key, std::string_view json) {
    text_ += fmt::format("{}{}:{}", text_.empty() ? "" : ",", JsonString(key), json);
  }
  void Add(std::string_view key, std::string_view value) { Raw(key, JsonString(value)); }
  void Add(std::string_view key, double value) { Raw(key, JsonNumber(value)); }
  void Add(std::string_view key, int64_t value) { Raw(key, fmt::to_string(value)); }
  std::string Finish() const { return "{" + text_ + "}"; }

 private:
  std::string text_;
};

std::string FindingsJson(const std::vector<telemetry::Finding>& findings) {
  std::string list;
  for (const auto& finding : findings) {
    Object object;
    object.Add("severity", telemetry::SeverityName(finding.severity));
    object.Add("step", finding.step);
    object.Add("text", finding.text);
    list += (list.empty() ? "" : ",") + object.Finish();
  }
  return "[" + list + "]";
}

void AddMeans(const telemetry::RunStatus& status, Object& object) {
  object.Add("loss", status.loss);
  object.Add("smoothed_loss", status.smoothed_loss);
  object.Add("best_loss", status.best_loss);
  object.Add("ms_per_step", status.ms_per_step);
  object.Add("tokens_per_s", status.tokens_per_s);
  object.Add("floor_share", status.floor_share);
  Object phases;
  for (const auto& [part, ms] : status.phases.parts()) phases.Add(part, ms);
  object.Raw("phases", phases.Finish());
}

void AddLatest(const telemetry::RunStatus& status, Object& object) {
  if (status.last_step) object.Add("lr", status.last_step->lr);
  if (status.last_update) {
    object.Add("update", status.last_update->update);
    object.Add("grad_norm", status.last_update->grad_norm);
  }
  if (status.last_validation) {
    object.Add("val_loss", status.last_validation->val_loss);
    object.Add("val_step", status.last_validation->step);
  }
  if (status.best_validation) {
    object.Add("best_val_loss", status.best_validation->val_loss);
    object.Add("best_val_step", status.best_validation->step);
  }
  if (status.last_checkpoint) object.Add("checkpoint_step", status.last_checkpoint->step);
}

void AddSystem(const telemetry::SystemEvent& system, Object& object) {
  if (system.rss_bytes > 0) object.Add("rss_bytes", system.rss_bytes);
  if (system.peak_rss_bytes > 0) object.Add("peak_rss_bytes", system.peak_rss_bytes);
  object.Add("process_cpu", system.process_cpu);
  object.Add("machine_cpu", system.machine_cpu);
  Object watts;
  for (const auto& [part, power] : system.watts) watts.Add(part, power);
  object.Raw("watts", watts.Finish());
}

}  // namespace

std::string StatusJson(const telemetry::RunStatus& status) {
  Object object;
  object.Add("state", telemetry::RunStateName(status.state));
  object.Add("headline", status.headline);
  object.Raw("findings", FindingsJson(status.findings));
  object.Add("step", status.step);
  object.Add("steps", status.steps);
  object.Add("progress", status.progress);
  object.Add("seconds_run", status.seconds_run);
  object.Add("seconds_left", status.seconds_left.value_or(telemetry::kUnknown));
  AddMeans(status, object);
  AddLatest(status, object);
  if (status.last_system) AddSystem(*status.last_system, object);
  return object.Finish();
}

}  // namespace millwright::app::web
