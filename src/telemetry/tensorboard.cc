#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <string_view>

#include "base/wire_message.h"
#include "telemetry/phase_split.h"
#include "telemetry/record_file.h"
#include "telemetry/surroundings.h"
#include "telemetry/tensorboard.h"

namespace millwright::telemetry {
namespace {

namespace fs = std::filesystem;

// The numbers of the fields in TensorFlow's event.proto, summary.proto and tensor.proto.
namespace in_event {
constexpr int kWallTime = 1, kStep = 2, kFileVersion = 3, kSummary = 5, kSessionLog = 7;
}
namespace in_session_log {
constexpr int kStatus = 1;
constexpr int64_t kStart = 1;
}  // namespace in_session_log
namespace in_summary {
constexpr int kValue = 1;
}
namespace in_value {
constexpr int kTag = 1, kSimpleValue = 2, kHistogram = 5, kTensor = 8, kMetadata = 9;
}
namespace in_metadata {
constexpr int kPlugin = 1, kName = 1, kContent = 2;
}
namespace in_histogram {
constexpr int kMin = 1, kMax = 2, kCount = 3, kSum = 4, kSumOfSquares = 5, kLimits = 6,
              kBuckets = 7;
}
namespace in_tensor {
constexpr int kType = 1, kShape = 2, kTexts = 8, kDim = 2, kSize = 1;
constexpr int64_t kFloat = 1, kString = 7;
}  // namespace in_tensor
// Those of TensorBoard's hparams plugin, and of google.protobuf.Value.
namespace in_hparams {
constexpr int kSessionStart = 3, kSessionEnd = 4, kHparams = 1, kStartTime = 5, kStatus = 1,
              kEndTime = 2, kKey = 1, kValue = 2, kNumber = 2, kText = 3, kBool = 4;
}

WireMessage Plugin(std::string_view name, std::string_view content) {
  WireMessage plugin;
  plugin.Text(in_metadata::kName, name);
  if (!content.empty()) plugin.Text(in_metadata::kContent, content);
  return WireMessage().Message(in_metadata::kPlugin, plugin);
}

void AddScalar(WireMessage& summary, const std::string& tag, double value) {
  summary.Message(in_summary::kValue,
                  WireMessage()
                      .Text(in_value::kTag, tag)
                      .Float(in_value::kSimpleValue, static_cast<float>(value)));
}

// Where it is known.
void AddKnown(WireMessage& summary, const std::string& tag, double value) {
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

void AddText(WireMessage& summary, const std::string& tag, const std::string& text) {
  const WireMessage tensor = WireMessage()
                                 .Integer(in_tensor::kType, in_tensor::kString)
                                 .Message(in_tensor::kShape, {})
                                 .Text(in_tensor::kTexts, Verbatim(text));
  summary.Message(in_summary::kValue, WireMessage()
                                          .Text(in_value::kTag, tag)
                                          .Message(in_value::kTensor, tensor)
                                          .Message(in_value::kMetadata, Plugin("text", "")));
}

// Sums are taken as if a part's elements lay in its middle.
void AddHistogram(WireMessage& summary, const std::string& tag, const Histogram& histogram) {
  if (histogram.counts.empty()) return;
  const double width =
      (histogram.high - histogram.low) / static_cast<double>(histogram.counts.size());
  double count = 0, sum = 0, squares = 0;
  std::vector<double> limits, buckets;
  for (size_t i = 0; i < histogram.counts.size(); ++i) {
    const auto elements = static_cast<double>(histogram.counts[i]);
    const double middle = histogram.low + width * (static_cast<double>(i) + 0.5);
    const bool last = i + 1 == histogram.counts.size();
    limits.push_back(last ? histogram.high : histogram.low + width * static_cast<double>(i + 1));
    buckets.push_back(elements);
    count += elements;
    sum += elements * middle;
    squares += elements * middle * middle;
  }
  const WireMessage to = WireMessage()
                             .Double(in_histogram::kMin, histogram.low)
                             .Double(in_histogram::kMax, histogram.high)
                             .Double(in_histogram::kCount, count)
                             .Double(in_histogram::kSum, sum)
                             .Double(in_histogram::kSumOfSquares, squares)
                             .Doubles(in_histogram::kLimits, limits)
                             .Doubles(in_histogram::kBuckets, buckets);
  summary.Message(in_summary::kValue,
                  WireMessage().Text(in_value::kTag, tag).Message(in_value::kHistogram, to));
}

void AddHparams(WireMessage& summary, const char* tag, const WireMessage& data) {
  const WireMessage none =
      WireMessage().Message(in_tensor::kDim, WireMessage().Integer(in_tensor::kSize, 0));
  const WireMessage tensor =
      WireMessage().Integer(in_tensor::kType, in_tensor::kFloat).Message(in_tensor::kShape, none);
  summary.Message(in_summary::kValue,
                  WireMessage()
                      .Text(in_value::kTag, tag)
                      .Message(in_value::kTensor, tensor)
                      .Message(in_value::kMetadata, Plugin("hparams", data.bytes())));
}

// Settings that are plain values; those of the network as config/NAME.
void Collect(const nlohmann::json& settings, const std::string& prefix, WireMessage& start) {
  if (!settings.is_object()) return;
  for (const auto& [name, value] : settings.items()) {
    if (value.is_object()) Collect(value, prefix + name + "/", start);
    if (!value.is_primitive() || value.is_null()) continue;
    WireMessage to;
    if (value.is_boolean()) {
      to.Integer(in_hparams::kBool, value.get<bool>() ? 1 : 0);
    } else if (value.is_number()) {
      to.Double(in_hparams::kNumber, value.get<double>());
    } else {
      to.Text(in_hparams::kText, ValidUtf8(value.get<std::string>()));
    }
    start.Message(
        in_hparams::kHparams,
        WireMessage().Text(in_hparams::kKey, prefix + name).Message(in_hparams::kValue, to));
  }
}

class TensorBoardSink : public Sink {
 public:
  explicit TensorBoardSink(std::unique_ptr<RecordFile> file)
      : file_(std::move(file)), time_(WallClock()) {}

  Status Begin() {
    return WriteEvent(0, WireMessage().Text(in_event::kFileVersion, "brain.Event:2"));
  }

  Status Write(const Event& event) override {
    return std::visit([this](const auto& one) { return Take(one); }, event);
  }

 private:
  Status WriteEvent(int64_t step, const WireMessage& what) {
    WireMessage event;
    event.Double(in_event::kWallTime, time_).Integer(in_event::kStep, step);
    return file_->Write(event.bytes() + what.bytes());
  }
  Status WriteSummary(int64_t step, const WireMessage& summary) {
    if (summary.empty()) return {};
    return WriteEvent(step, WireMessage().Message(in_event::kSummary, summary));
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
    const WireMessage start =
        WireMessage().Integer(in_session_log::kStatus, in_session_log::kStart);
    auto status =
        WriteEvent(event.first_step + 1, WireMessage().Message(in_event::kSessionLog, start));
    if (!status) return status;
  }
  const bool whole = event.settings.is_object() && event.settings.contains("settings");
  WireMessage start;
  Collect(whole ? event.settings["settings"] : event.settings, "", start);
  start.Double(in_hparams::kStartTime, time_);
  WireMessage summary;
  AddHparams(summary, "_hparams_/session_start_info",
             WireMessage().Message(in_hparams::kSessionStart, start));
  AddText(summary, "run.json",
          event.settings.dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
  return WriteSummary(event.first_step, summary);
}

Status TensorBoardSink::Take(const StepEvent& event) {
  if (event.time > 0) time_ = event.time;
  WireMessage summary;
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
  return WriteSummary(event.step, summary);
}

Status TensorBoardSink::Take(const UpdateEvent& event) {
  WireMessage summary;
  AddScalar(summary, "update/grad_norm", event.grad_norm);
  AddScalar(summary, "update/loss_scale", event.loss_scale);
  AddScalar(summary, "update/ms", event.ms);
  AddScalar(summary, "update/skipped", event.skipped ? 1 : 0);
  for (const auto& [name, norm] : event.group_norms) {
    AddScalar(summary, "update/grad_norm_" + name, norm);
  }
  return WriteSummary(event.step, summary);
}

Status TensorBoardSink::Take(const ValidationEvent& event) {
  WireMessage summary;
  AddScalar(summary, "validation/loss", event.val_loss);
  return WriteSummary(event.step, summary);
}

Status TensorBoardSink::Take(const SampleEvent& event) {
  WireMessage summary;
  AddText(summary, "sample", event.prompt + event.text);
  return WriteSummary(event.step, summary);
}

Status TensorBoardSink::Take(const WarningEvent& event) {
  WireMessage summary;
  AddText(summary, "warning", event.message);
  return WriteSummary(event.step, summary);
}

Status TensorBoardSink::Take(const TensorsEvent& event) {
  WireMessage summary;
  for (const TensorHealth& tensor : event.tensors) {
    AddHistogram(summary, "weights/" + tensor.name, tensor.weight.histogram);
    AddScalar(summary, "weight_norm/" + tensor.name, tensor.weight.norm);
    if (!tensor.gradient) continue;
    AddHistogram(summary, "gradients/" + tensor.name, tensor.gradient->histogram);
    AddScalar(summary, "gradient_norm/" + tensor.name, tensor.gradient->norm);
  }
  return WriteSummary(event.step, summary);
}

Status TensorBoardSink::Take(const KernelsEvent& event) {
  WireMessage summary;
  for (const KernelLoad& kernel : event.kernels) {
    AddScalar(summary, "kernels_share/" + kernel.name, kernel.share);
    if (kernel.gflop_per_s > 0) {
      AddScalar(summary, "kernels_gflop_per_s/" + kernel.name, kernel.gflop_per_s);
    }
  }
  return WriteSummary(event.step, summary);
}

Status TensorBoardSink::Take(const SystemEvent& event) {
  time_ = std::max(time_, event.time);
  WireMessage summary;
  if (event.rss_bytes > 0) {
    AddScalar(summary, "system/rss_gb", static_cast<double>(event.rss_bytes) * 1e-9);
  }
  AddKnown(summary, "system/process_cpu", event.process_cpu);
  AddKnown(summary, "system/machine_cpu", event.machine_cpu);
  for (const auto& [name, watts] : event.watts) AddScalar(summary, "watts/" + name, watts);
  return WriteSummary(event.step, summary);
}

Status TensorBoardSink::Take(const EndEvent& event) {
  if (event.time > 0) time_ = event.time;
  const WireMessage end = WireMessage()
                              .Integer(in_hparams::kStatus, event.reason == "failed" ? 2 : 1)
                              .Double(in_hparams::kEndTime, time_);
  WireMessage summary;
  AddHparams(summary, "_hparams_/session_end_info",
             WireMessage().Message(in_hparams::kSessionEnd, end));
  return WriteSummary(event.step, summary);
}

}  // namespace

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
