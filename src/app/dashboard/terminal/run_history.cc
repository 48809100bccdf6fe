#include "app/dashboard/terminal/run_history.h"

#include <algorithm>
#include <cmath>

#include "telemetry/duration.h"

namespace millwright::app::dashboard {
namespace {

using nlohmann::json;
using telemetry::ReadableDuration;

constexpr size_t kMostSamples = 100;
constexpr size_t kMostLogLines = 2000;
constexpr double kSmoothed = 20;  // steps in the mean

const json& Member(const json& object, const char* key) {
  static const json kNull;
  if (!object.is_object()) return kNull;
  const auto found = object.find(key);
  return found == object.end() ? kNull : *found;
}

// "key value" for each key that is there, as numbers or words.
std::string Named(const json& object,
                  const std::vector<std::pair<const char*, const char*>>& names) {
  std::string text;
  for (const auto& [key, name] : names) {
    const json& value = Member(object, key);
    if (!value.is_number() && !value.is_string()) continue;
    const std::string shown = value.is_string() ? value.get<std::string>()
                              : value.is_number_integer()
                                  ? value.dump()
                                  : fmt::format("{:g}", value.get<double>());
    text += fmt::format("{}{} {}", text.empty() ? "" : "  ", name, shown);
  }
  return text;
}

std::string Text(const json& value) {
  return value.is_string() ? value.get<std::string>() : std::string();
}

}  // namespace

double TotalWatts(const telemetry::SystemEvent& event) {
  double watts = 0;
  for (const auto& [name, value] : event.watts) watts += std::isfinite(value) ? value : 0;
  return watts;
}

void RunHistory::Add(const telemetry::Event& event) {
  std::visit([this](const auto& one) { Take(one); }, event);
}

void RunHistory::AddLog(Ink ink, std::string text) {
  log_.push_back({ink, std::move(text)});
  if (log_.size() > kMostLogLines) log_.pop_front();
}

void RunHistory::AddSample(const telemetry::SampleEvent& sample) {
  samples_.push_back(sample);
  if (samples_.size() > kMostSamples) samples_.pop_front();
}

void RunHistory::Take(const telemetry::ConfigEvent& event) {
  const json& settings = Member(event.settings, "settings");
  const json& config = Member(settings, "config");
  title_.model = Text(Member(config, "title"));
  title_.network = Named(config, {{"layers", "layers"},
                                  {"dim", "dim"},
                                  {"hidden_dim", "hidden"},
                                  {"heads", "heads"},
                                  {"kv_heads", "kv"},
                                  {"seq", "seq"},
                                  {"vocab", "vocab"}});
  title_.settings = Named(settings, {{"lr", "lr"},
                                     {"accum", "accum"},
                                     {"batch", "batch"},
                                     {"device", "on"},
                                     {"precision", "in"},
                                     {"binding", "binding"}});
  AddLog(Ink::kGood,
         event.first_step > 0
             ? fmt::format("resumed after step {}", event.first_step)
             : fmt::format("started{}{}", title_.model.empty() ? "" : ": ", title_.model));
}

void RunHistory::Take(const telemetry::StepEvent& event) {
  steps_.CutFrom(event.step);
  double smooth = event.loss;
  if (!steps_.empty()) {
    const double before = steps_.columns().at("smooth").back();
    // Fewer at the beginning, where a loss falls fast.
    const double count = std::min(1 + static_cast<double>(steps_.size()) / 4, kSmoothed);
    if (!std::isfinite(smooth)) smooth = before;
    if (std::isfinite(before)) smooth = before + (smooth - before) / count;
  }
  steps_.Append(event.step, {{"loss", event.loss},
                             {"smooth", smooth},
                             {"lr", event.lr},
                             {"ms", event.ms},
                             {"tokens_per_s", event.tokens_per_s}});
}

void RunHistory::Take(const telemetry::UpdateEvent& event) {
  updates_.Append(event.step, {{"grad_norm", event.grad_norm}});
}

void RunHistory::Take(const telemetry::ValidationEvent& event) {
  const auto step = static_cast<double>(event.step);
  while (!validations_.empty() && validations_.back().x >= step) validations_.pop_back();
  validations_.push_back({step, event.val_loss});
  AddLog(Ink::kValidation, fmt::format("step {}: validation loss {:.4f} over {} windows",
                                       event.step, event.val_loss, event.windows));
}

void RunHistory::Take(const telemetry::CheckpointEvent& event) {
  AddLog(Ink::kDim,
         fmt::format("step {}: state saved in {}", event.step, ReadableDuration(event.ms / 1000)));
}

void RunHistory::Take(const telemetry::WarningEvent& event) {
  AddLog(Ink::kWarning, fmt::format("step {}: {}", event.step, event.message));
}

void RunHistory::Take(const telemetry::SystemEvent& event) {
  const double watts = TotalWatts(event);
  system_.Append(event.step, {{"rss_mb", static_cast<double>(event.rss_bytes) / 1e6},
                              {"cores", event.process_cpu},
                              {"watts", watts > 0 ? watts : telemetry::kUnknown}});
}

void RunHistory::Take(const telemetry::EndEvent& event) {
  const Ink ink = event.reason == "failed" ? Ink::kAlarm : Ink::kGood;
  AddLog(ink, fmt::format("{} after step {}, {}{}{}", event.reason, event.step,
                          ReadableDuration(event.wall_s), event.message.empty() ? "" : ": ",
                          event.message));
}

}  // namespace millwright::app::dashboard
