#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <string_view>

#include "telemetry/phase_split.h"
#include "telemetry/record_file.h"
#include "telemetry/surroundings.h"
#include "telemetry/tensorboard.h"
#include "telemetry/tensorboard_events.pb.h"

namespace millwright::telemetry {
namespace {

namespace fs = std::filesystem;
using tensorboard::Summary;

constexpr int kFloat = 1, kString = 7;  // TensorFlow's DataType

void AddScalar(Summary& summary, const std::string& tag, double value) {
  auto* added = summary.add_value();
  added->set_tag(tag);
  added->set_simple_value(static_cast<float>(value));
}

// Where it is known.
void AddKnown(Summary& summary, const std::string& tag, double value) {
  if (!std::isnan(value)) AddScalar(summary, tag, value);
}

// Bytes that are no UTF-8 would make the file unreadable.
std::string ValidUtf8(const std::string& text) {
  using nlohmann::json;
  const json quoted = text;
  return json::parse(quoted.dump(-1, ' ', false, json::error_handler_t::replace))
      .get<std::string>();
}

// Shown as Markdown, in which four spaces keep a text as it is.
std::string Verbatim(const std::string& text) {
  std::string lines = "    ";
  for (const char c : ValidUtf8(text)) {
    lines += c;
    if (c == '\n') lines += "    ";
  }
  return lines;
}

void AddText(Summary& summary, const std::string& tag, const std::string& text) {
  auto* added = summary.add_value();
  added->set_tag(tag);
  added->mutable_metadata()->mutable_plugin()->set_name("text");
  added->mutable_tensor()->set_dtype(kString);
  added->mutable_tensor()->mutable_shape();
  added->mutable_tensor()->add_string_value(Verbatim(text));
}

// Sums are taken as if a part's elements lay in its middle.
void AddHistogram(Summary& summary, const std::string& tag, const Histogram& histogram) {
  if (histogram.counts.empty()) return;
  auto* added = summary.add_value();
  added->set_tag(tag);
  auto* to = added->mutable_histogram();
  to->set_min(histogram.low);
  to->set_max(histogram.high);
  const double width =
      (histogram.high - histogram.low) / static_cast<double>(histogram.counts.size());
  double count = 0, sum = 0, squares = 0;
  for (size_t i = 0; i < histogram.counts.size(); ++i) {
    const auto elements = static_cast<double>(histogram.counts[i]);
    const double middle = histogram.low + width * (static_cast<double>(i) + 0.5);
    const bool last = i + 1 == histogram.counts.size();
    to->add_bucket_limit(last ? histogram.high
                              : histogram.low + width * static_cast<double>(i + 1));
    to->add_bucket(elements);
    count += elements;
    sum += elements * middle;
    squares += elements * middle * middle;
  }
  to->set_count(count);
  to->set_sum(sum);
  to->set_sum_of_squares(squares);
}

void AddHparams(Summary& summary, const char* tag, const tensorboard::HparamsData& data) {
  auto* added = summary.add_value();
  added->set_tag(tag);
  auto* plugin = added->mutable_metadata()->mutable_plugin();
  plugin->set_name("hparams");
  data.SerializeToString(plugin->mutable_content());
  added->mutable_tensor()->set_dtype(kFloat);
  added->mutable_tensor()->mutable_shape()->add_dim()->set_size(0);
}

// Settings that are plain values; those of the network as config/NAME.
void Collect(const nlohmann::json& settings, const std::string& prefix,
             tensorboard::SessionStart& start) {
  if (!settings.is_object()) return;
  for (const auto& [name, value] : settings.items()) {
    if (value.is_object()) Collect(value, prefix + name + "/", start);
    if (!value.is_primitive() || value.is_null()) continue;
    tensorboard::Hparam& to = (*start.mutable_hparams())[prefix + name];
    if (value.is_boolean()) {
      to.set_bool_value(value.get<bool>());
    } else if (value.is_number()) {
      to.set_number_value(value.get<double>());
    } else {
      to.set_string_value(ValidUtf8(value.get<std::string>()));
    }
  }
}

class TensorBoardSink : public Sink {
 public:
  explicit TensorBoardSink(std::unique_ptr<RecordFile> file)
      : file_(std::move(file)), time_(WallClock()) {}

  Status Begin() {
    tensorboard::Event event;
    event.set_file_version("brain.Event:2");
    return WriteEvent(0, event);
  }

  Status Write(const Event& event) override {
    return std::visit([this](const auto& one) { return Take(one); }, event);
  }

 private:
  Status WriteEvent(int64_t step, tensorboard::Event& event) {
    event.set_step(step);
    event.set_wall_time(time_);
    return file_->Write(event.SerializeAsString());
  }
  Status WriteSummary(int64_t step, Summary summary) {
    if (summary.value_size() == 0) return {};
    tensorboard::Event event;
    *event.mutable_summary() = std::move(summary);
    return WriteEvent(step, event);
  }

  Status Take(const ConfigEvent& event);
  Status Take(const StepEvent& event);
  Status Take(const UpdateEvent& event);
  Status Take(const ValidationEvent& event);
  Status Take(const SampleEvent& event);
  Status Take(const CheckpointEvent&) { return {}; }
  Status Take(const WarningEvent& event);
  Status Take(const TensorsEvent& event);
  Status Take(const KernelsEvent& event);
  Status Take(const SystemEvent& event);
  Status Take(const EndEvent& event);

  std::unique_ptr<RecordFile> file_;
  double time_;  // of the last event that says one
};

Status TensorBoardSink::Take(const ConfigEvent& event) {
  if (event.time > 0) time_ = event.time;
  if (event.first_step > 0) {
    tensorboard::Event start;
    start.mutable_session_log()->set_status(1);
    if (auto status = WriteEvent(event.first_step + 1, start); !status) return status;
  }
  const bool whole = event.settings.is_object() && event.settings.contains("settings");
  tensorboard::HparamsData data;
  data.mutable_start()->set_start_time(time_);
  Collect(whole ? event.settings["settings"] : event.settings, "", *data.mutable_start());
  Summary summary;
  AddHparams(summary, "_hparams_/session_start_info", data);
  AddText(summary, "run.json",
          event.settings.dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
  return WriteSummary(event.first_step, std::move(summary));
}

Status TensorBoardSink::Take(const StepEvent& event) {
  if (event.time > 0) time_ = event.time;
  Summary summary;
  AddScalar(summary, "train/loss", static_cast<double>(event.loss));
  AddScalar(summary, "train/lr", event.lr);
  AddScalar(summary, "speed/ms_per_step", event.ms);
  AddScalar(summary, "speed/tokens_per_s", event.tokens_per_s);
  if (event.floor_share) AddKnown(summary, "speed/floor_share", *event.floor_share);
  for (const auto& [name, ms] : SplitPhases(event).parts()) {
    if (std::string_view(name) != "optimizer") {
      AddScalar(summary, std::string("phases_ms/") + name, ms);
    }
  }
  return WriteSummary(event.step, std::move(summary));
}

Status TensorBoardSink::Take(const UpdateEvent& event) {
  Summary summary;
  AddScalar(summary, "update/grad_norm", event.grad_norm);
  AddScalar(summary, "update/loss_scale", event.loss_scale);
  AddScalar(summary, "update/ms", event.ms);
  AddScalar(summary, "update/skipped", event.skipped ? 1 : 0);
  for (const auto& [name, norm] : event.group_norms) {
    AddScalar(summary, "update/grad_norm_" + name, norm);
  }
  return WriteSummary(event.step, std::move(summary));
}

Status TensorBoardSink::Take(const ValidationEvent& event) {
  Summary summary;
  AddScalar(summary, "validation/loss", event.val_loss);
  return WriteSummary(event.step, std::move(summary));
}

Status TensorBoardSink::Take(const SampleEvent& event) {
  Summary summary;
  AddText(summary, "sample", event.prompt + event.text);
  return WriteSummary(event.step, std::move(summary));
}

Status TensorBoardSink::Take(const WarningEvent& event) {
  Summary summary;
  AddText(summary, "warning", event.message);
  return WriteSummary(event.step, std::move(summary));
}

Status TensorBoardSink::Take(const TensorsEvent& event) {
  Summary summary;
  for (const TensorHealth& tensor : event.tensors) {
    AddHistogram(summary, "weights/" + tensor.name, tensor.weight.histogram);
    AddScalar(summary, "weight_norm/" + tensor.name, tensor.weight.norm);
    if (!tensor.gradient) continue;
    AddHistogram(summary, "gradients/" + tensor.name, tensor.gradient->histogram);
    AddScalar(summary, "gradient_norm/" + tensor.name, tensor.gradient->norm);
  }
  return WriteSummary(event.step, std::move(summary));
}

Status TensorBoardSink::Take(const KernelsEvent& event) {
  Summary summary;
  for (const KernelLoad& kernel : event.kernels) {
    AddScalar(summary, "kernels_share/" + kernel.name, kernel.share);
    if (kernel.gflop_per_s > 0) {
      AddScalar(summary, "kernels_gflop_per_s/" + kernel.name, kernel.gflop_per_s);
    }
  }
  return WriteSummary(event.step, std::move(summary));
}

Status TensorBoardSink::Take(const SystemEvent& event) {
  time_ = std::max(time_, event.time);
  Summary summary;
  if (event.rss_bytes > 0) {
    AddScalar(summary, "system/rss_gb", static_cast<double>(event.rss_bytes) * 1e-9);
  }
  AddKnown(summary, "system/process_cpu", event.process_cpu);
  AddKnown(summary, "system/machine_cpu", event.machine_cpu);
  for (const auto& [name, watts] : event.watts) AddScalar(summary, "watts/" + name, watts);
  return WriteSummary(event.step, std::move(summary));
}

Status TensorBoardSink::Take(const EndEvent& event) {
  if (event.time > 0) time_ = event.time;
  tensorboard::HparamsData data;
  data.mutable_end()->set_status(event.reason == "failed" ? 2 : 1);
  data.mutable_end()->set_end_time(time_);
  Summary summary;
  AddHparams(summary, "_hparams_/session_end_info", data);
  return WriteSummary(event.step, std::move(summary));
}

}  // namespace

bool HasTensorBoard() { return true; }

// The time goes first in the name: TensorBoard reads a folder's files in the order of their names.
Result<std::unique_ptr<Sink>> OpenTensorBoard(const std::string& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) return Failed("{}: cannot be created: {}", folder, error.message());
  const auto microseconds = static_cast<int64_t>(WallClock() * 1e6);
  auto file = RecordFile::Create(fmt::format("{}/events.out.tfevents.{}.{:06}.{}.{}", folder,
                                             microseconds / 1000000, microseconds % 1000000,
                                             HostName(), ::getpid()));
  if (!file) return file.error();
  auto sink = std::make_unique<TensorBoardSink>(*std::move(file));
  if (auto status = sink->Begin(); !status) return status.error();
  return std::unique_ptr<Sink>(std::move(sink));
}

}  // namespace millwright::telemetry
