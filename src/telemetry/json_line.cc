#include <fmt/format.h>

#include <cmath>
#include <string_view>
#include <type_traits>

#include "telemetry/event.h"

namespace millwright::telemetry {
namespace {

// One flat JSON object, its fields in the order in which they are added.
class Line {
 public:
  explicit Line(std::string_view type) { Add("type", type); }

  void Add(std::string_view key, std::string_view value) { AddRaw(key, Quote(value)); }
  void Add(std::string_view key, bool value) { AddRaw(key, value ? "true" : "false"); }
  void Add(std::string_view key, int64_t value) { AddRaw(key, fmt::to_string(value)); }
  void Add(std::string_view key, float value) { AddRaw(key, Number(value)); }
  void Add(std::string_view key, double value) { AddRaw(key, Number(value)); }
  void Add(std::string_view key, const nlohmann::json& value) { AddRaw(key, Dump(value)); }

  // Nothing for an empty map.
  void Add(std::string_view key, const std::map<std::string, double>& values) {
    if (values.empty()) return;
    std::string object;
    for (const auto& [name, value] : values) {
      object += fmt::format("{}{}:{}", object.empty() ? "" : ",", Quote(name), Number(value));
    }
    AddRaw(key, fmt::format("{{{}}}", object));
  }

  std::string Finish() && { return fmt::format("{{{}}}", text_); }

 private:
  // The shortest decimal that reads back to the same T.
  template <class T>
  static std::string Number(T value) {
    return std::isfinite(value) ? fmt::format("{}", value) : "null";
  }

  // Text that is not UTF-8 (a path, a system's message) must not make the line unreadable.
  static std::string Dump(const nlohmann::json& value) {
    return value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  }
  static std::string Quote(std::string_view text) { return Dump(nlohmann::json(text)); }

  void AddRaw(std::string_view key, std::string_view value) {
    text_ += fmt::format("{}\"{}\":{}", text_.empty() ? "" : ",", key, value);
  }

  std::string text_;
};

Line ToLine(const ConfigEvent& event) {
  Line line("config");
  line.Add("settings", event.settings);
  return line;
}

Line ToLine(const StepEvent& event) {
  Line line("step");
  line.Add("step", event.step);
  line.Add("loss", event.loss);
  line.Add("lr", event.lr);
  line.Add("ms", event.ms);
  line.Add("tokens_per_s", event.tokens_per_s);
  line.Add("phases_ms", event.phases_ms);
  return line;
}

Line ToLine(const UpdateEvent& event) {
  Line line("update");
  line.Add("step", event.step);
  line.Add("update", event.update);
  line.Add("grad_norm", event.grad_norm);
  line.Add("lr", event.lr);
  line.Add("loss_scale", event.loss_scale);
  line.Add("skipped", event.skipped);
  line.Add("ms", event.ms);
  line.Add("group_norms", event.group_norms);
  return line;
}

Line ToLine(const ValidationEvent& event) {
  Line line("validation");
  line.Add("step", event.step);
  line.Add("val_loss", event.val_loss);
  line.Add("windows", event.windows);
  return line;
}

Line ToLine(const CheckpointEvent& event) {
  Line line("checkpoint");
  line.Add("step", event.step);
  line.Add("path", std::string_view(event.path));
  line.Add("ms", event.ms);
  return line;
}

Line ToLine(const WarningEvent& event) {
  Line line("warning");
  line.Add("step", event.step);
  line.Add("message", std::string_view(event.message));
  return line;
}

Line ToLine(const EndEvent& event) {
  Line line("end");
  line.Add("step", event.step);
  line.Add("reason", std::string_view(event.reason));
  line.Add("wall_s", event.wall_s);
  return line;
}

}  // namespace

std::string ToJsonLine(const Event& event) {
  return std::visit([](const auto& one) { return ToLine(one).Finish(); }, event);
}

}  // namespace millwright::telemetry
