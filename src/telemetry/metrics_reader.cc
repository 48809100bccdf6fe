#include "telemetry/metrics_reader.h"

#include <cmath>
#include <limits>

#include "base/mapped_file.h"

namespace millwright::telemetry {
namespace {

using nlohmann::json;

// Takes fields out of an object, remembering the first that is missing or of another type.
class Fields {
 public:
  explicit Fields(const json& object) : object_(object) {}

  int64_t Integer(const char* key) {
    const json* value = Find(key, [](const json& v) { return v.is_number_integer(); });
    return value != nullptr ? value->get<int64_t>() : 0;
  }

  double Number(const char* key) {
    const json* value = Find(key, [](const json& v) { return v.is_number() || v.is_null(); });
    return value != nullptr ? ToNumber(*value) : 0.0;
  }

  bool Bool(const char* key) {
    const json* value = Find(key, [](const json& v) { return v.is_boolean(); });
    return value != nullptr && value->get<bool>();
  }

  std::string Text(const char* key) {
    const json* value = Find(key, [](const json& v) { return v.is_string(); });
    return value != nullptr ? value->get<std::string>() : std::string();
  }

  json Any(const char* key) {
    const json* value = Find(key, [](const json&) { return true; });
    return value != nullptr ? *value : json();
  }

  // May be absent.
  std::map<std::string, double> Numbers(const char* key) {
    std::map<std::string, double> numbers;
    if (!object_.contains(key)) return numbers;
    const json* values = Find(key, [](const json& v) { return v.is_object(); });
    if (values == nullptr) return numbers;
    for (const auto& [name, value] : values->items()) {
      if (!value.is_number() && !value.is_null())
        bad_ = key;
      else
        numbers[name] = ToNumber(value);
    }
    return numbers;
  }

  Result<Event> Finish(Event event) {
    if (bad_ != nullptr) return BadInput("field '{}' is missing or of another type", bad_);
    return event;
  }

 private:
  template <class Test>
  const json* Find(const char* key, const Test& test) {
    const auto found = object_.find(key);
    if (found != object_.end() && test(*found)) return &*found;
    if (bad_ == nullptr) bad_ = key;
    return nullptr;
  }

  static double ToNumber(const json& value) {
    return value.is_null() ? std::numeric_limits<double>::quiet_NaN() : value.get<double>();
  }

  const json& object_;
  const char* bad_ = nullptr;
};

StepEvent ReadStep(Fields& fields) {
  StepEvent event;
  event.step = fields.Integer("step");
  event.loss = static_cast<float>(fields.Number("loss"));
  event.lr = fields.Number("lr");
  event.ms = fields.Number("ms");
  event.tokens_per_s = fields.Number("tokens_per_s");
  event.phases_ms = fields.Numbers("phases_ms");
  return event;
}

UpdateEvent ReadUpdate(Fields& fields) {
  UpdateEvent event;
  event.step = fields.Integer("step");
  event.update = fields.Integer("update");
  event.grad_norm = fields.Number("grad_norm");
  event.lr = fields.Number("lr");
  event.loss_scale = fields.Number("loss_scale");
  event.skipped = fields.Bool("skipped");
  event.ms = fields.Number("ms");
  event.group_norms = fields.Numbers("group_norms");
  return event;
}

struct Collect {
  Metrics& metrics;
  void operator()(const StepEvent& event) { metrics.steps[event.step] = event; }
  void operator()(const UpdateEvent& event) { metrics.updates[event.step] = event; }
  void operator()(const ValidationEvent& event) { metrics.validations[event.step] = event; }
  template <class Other>
  void operator()(const Other&) {}
};

}  // namespace

Result<Event> ParseJsonLine(std::string_view line) {
  const json object = json::parse(line, nullptr, false);
  if (!object.is_object()) return BadInput("not a JSON object");
  Fields fields(object);
  const std::string type = fields.Text("type");
  if (type == "config") return fields.Finish(ConfigEvent{fields.Any("settings")});
  if (type == "step") {
    const StepEvent event = ReadStep(fields);
    return fields.Finish(event);
  }
  if (type == "update") {
    const UpdateEvent event = ReadUpdate(fields);
    return fields.Finish(event);
  }
  if (type == "validation") {
    const ValidationEvent event{fields.Integer("step"), fields.Number("val_loss"),
                                fields.Integer("windows")};
    return fields.Finish(event);
  }
  if (type == "checkpoint") {
    const CheckpointEvent event{fields.Integer("step"), fields.Text("path"), fields.Number("ms")};
    return fields.Finish(event);
  }
  if (type == "warning") {
    const WarningEvent event{fields.Integer("step"), fields.Text("message")};
    return fields.Finish(event);
  }
  if (type == "end") {
    const EndEvent event{fields.Integer("step"), fields.Text("reason"), fields.Number("wall_s")};
    return fields.Finish(event);
  }
  return BadInput("unknown event type '{}'", type);
}

Result<Metrics> ReadMetrics(const std::string& path) {
  auto file = MappedFile::Open(path);
  if (!file) return file.error();
  const auto bytes = (*file)->bytes();
  std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  Metrics metrics;
  std::string first_reason;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    if (line.empty()) continue;
    auto event = ParseJsonLine(line);
    if (!event) {
      if (metrics.skipped_lines++ == 0) first_reason = event.error().message;
      continue;
    }
    std::visit(Collect{metrics}, *event);
    metrics.events.push_back(std::move(*event));
  }
  if (metrics.events.empty() && metrics.skipped_lines > 0) {
    return BadInput("{}: holds no metrics: {}", path, first_reason);
  }
  return metrics;
}

}  // namespace millwright::telemetry
