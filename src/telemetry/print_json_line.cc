// Events as lines of JSON.
#include <fmt/format.h>

#include "telemetry/event.h"
#include "telemetry/json_object.h"

namespace millwright::telemetry {
namespace {

JsonObject Typed(const char* type) {
  JsonObject object;
  object.Add("type", type);
  return object;
}

JsonObject ToObject(const ConfigEvent& event) {
  JsonObject object = Typed("config");
  object.Add("settings", event.settings);
  if (event.time != 0) object.Add("time", event.time);
  if (event.first_step != 0) object.Add("first_step", event.first_step);
  if (event.pid != 0) object.Add("pid", event.pid);
  if (!event.host.empty()) object.Add("host", std::string_view(event.host));
  if (!event.machine.is_null()) object.Add("machine", event.machine);
  return object;
}

JsonObject ToObject(const StepEvent& event) {
  JsonObject object = Typed("step");
  object.Add("step", event.step)
      .Add("loss", event.loss)
      .Add("lr", event.lr)
      .Add("ms", event.ms)
      .Add("tokens_per_s", event.tokens_per_s)
      .Add("phases_ms", event.phases_ms);
  if (event.time != 0) object.Add("time", event.time);
  if (event.floor_share) object.AddShort("floor_share", *event.floor_share);
  return object;
}

JsonObject ToObject(const UpdateEvent& event) {
  return Typed("update")
      .Add("step", event.step)
      .Add("update", event.update)
      .Add("grad_norm", event.grad_norm)
      .Add("lr", event.lr)
      .Add("loss_scale", event.loss_scale)
      .Add("skipped", event.skipped)
      .Add("ms", event.ms)
      .Add("group_norms", event.group_norms);
}

JsonObject ToObject(const ValidationEvent& event) {
  return Typed("validation")
      .Add("step", event.step)
      .Add("val_loss", event.val_loss)
      .Add("windows", event.windows);
}

JsonObject ToObject(const SampleEvent& event) {
  return Typed("sample")
      .Add("step", event.step)
      .Add("prompt", std::string_view(event.prompt))
      .Add("text", std::string_view(event.text))
      .Add("tokens", event.tokens)
      .Add("ms", event.ms);
}

JsonObject ToObject(const CheckpointEvent& event) {
  return Typed("checkpoint")
      .Add("step", event.step)
      .Add("path", std::string_view(event.path))
      .Add("ms", event.ms);
}

JsonObject ToObject(const WarningEvent& event) {
  return Typed("warning").Add("step", event.step).Add("message", std::string_view(event.message));
}

JsonObject ToObject(const TensorSummary& summary) {
  JsonObject object;
  object.AddShort("norm", summary.norm)
      .AddShort("largest", summary.largest)
      .AddShort("zeros", summary.zeros)
      .Add("not_finite", summary.not_finite);
  if (!summary.histogram.counts.empty()) {
    JsonObject histogram;
    histogram.AddShort("low", summary.histogram.low)
        .AddShort("high", summary.histogram.high)
        .AddArray("counts", summary.histogram.counts,
                  [](int64_t count) { return fmt::to_string(count); });
    object.Add("histogram", histogram);
  }
  return object;
}

std::string ToText(const TensorHealth& tensor) {
  JsonObject object;
  object.Add("name", std::string_view(tensor.name))
      .Add("layer", tensor.layer)
      .Add("elements", tensor.elements)
      .Add("weight", ToObject(tensor.weight));
  if (tensor.gradient) object.Add("gradient", ToObject(*tensor.gradient));
  return object.ToString();
}

JsonObject ToObject(const TensorsEvent& event) {
  return Typed("tensors")
      .Add("step", event.step)
      .AddArray("tensors", event.tensors,
                [](const TensorHealth& tensor) { return ToText(tensor); });
}

std::string ToText(const KernelLoad& kernel) {
  return JsonObject()
      .Add("name", std::string_view(kernel.name))
      .Add("launches", kernel.launches)
      .AddShort("ms", kernel.ms)
      .AddShort("gflop_per_s", kernel.gflop_per_s)
      .AddShort("share", kernel.share)
      .ToString();
}

JsonObject ToObject(const KernelsEvent& event) {
  return Typed("kernels")
      .Add("step", event.step)
      .Add("steps", event.steps)
      .AddShort("ms", event.ms)
      .AddArray("kernels", event.kernels, [](const KernelLoad& kernel) { return ToText(kernel); });
}

JsonObject ToObject(const SystemEvent& event) {
  return Typed("system")
      .Add("step", event.step)
      .Add("time", event.time)
      .Add("rss_bytes", event.rss_bytes)
      .Add("peak_rss_bytes", event.peak_rss_bytes)
      .AddShort("process_cpu", event.process_cpu)
      .AddShort("machine_cpu", event.machine_cpu)
      .Add("watts", event.watts);
}

JsonObject ToObject(const ProgramCosts& costs) {
  JsonObject object;
  return object.Add("processes", costs.processes)
      .Add("programs", costs.programs)
      .Add("compile_ms", costs.compile_ms)
      .Add("steps", costs.steps)
      .Add("launches", costs.launches)
      .Add("copies", costs.copies)
      .Add("copied_bytes", costs.copied_bytes)
      .Add("handed_on", costs.handed_on);
}

JsonObject ToObject(const EndEvent& event) {
  JsonObject object = Typed("end");
  object.Add("step", event.step)
      .Add("reason", std::string_view(event.reason))
      .Add("wall_s", event.wall_s);
  if (!event.message.empty()) object.Add("message", std::string_view(event.message));
  if (event.time != 0) object.Add("time", event.time);
  if (event.telemetry_ms != 0) object.Add("telemetry_ms", event.telemetry_ms);
  if (event.costs) object.Add("costs", ToObject(*event.costs));
  return object;
}

}  // namespace

std::string ToJsonLine(const Event& event) {
  return std::visit([](const auto& one) { return ToObject(one).ToString(); }, event);
}

}  // namespace millwright::telemetry
