// Events out of lines of JSON.
#include <array>

#include "telemetry/event.h"
#include "telemetry/json_fields.h"

namespace millwright::telemetry {
namespace {

Event ReadConfig(JsonFields& fields) {
  return ConfigEvent{.settings = fields.Any("settings"),
                     .time = fields.NumberOr("time", 0),
                     .first_step = fields.IntegerOr("first_step", 0),
                     .pid = fields.IntegerOr("pid", 0),
                     .host = fields.TextOr("host", ""),
                     .machine = fields.AnyOrNull("machine")};
}

Event ReadStep(JsonFields& fields) {
  StepEvent event;
  event.step = fields.Integer("step");
  event.loss = static_cast<float>(fields.Number("loss"));
  event.lr = fields.Number("lr");
  event.ms = fields.Number("ms");
  event.tokens_per_s = fields.Number("tokens_per_s");
  event.phases_ms = fields.Numbers("phases_ms");
  event.time = fields.NumberOr("time", 0);
  event.floor_share = fields.NumberIfAny("floor_share");
  return event;
}

Event ReadUpdate(JsonFields& fields) {
  return UpdateEvent{.step = fields.Integer("step"),
                     .update = fields.Integer("update"),
                     .grad_norm = fields.Number("grad_norm"),
                     .lr = fields.Number("lr"),
                     .loss_scale = fields.Number("loss_scale"),
                     .skipped = fields.Bool("skipped"),
                     .ms = fields.Number("ms"),
                     .group_norms = fields.Numbers("group_norms")};
}

Event ReadValidation(JsonFields& fields) {
  return ValidationEvent{fields.Integer("step"), fields.Number("val_loss"),
                         fields.Integer("windows")};
}

Event ReadSample(JsonFields& fields) {
  return SampleEvent{.step = fields.Integer("step"),
                     .prompt = fields.Text("prompt"),
                     .text = fields.Text("text"),
                     .tokens = fields.Integer("tokens"),
                     .ms = fields.Number("ms")};
}

Event ReadCheckpoint(JsonFields& fields) {
  return CheckpointEvent{fields.Integer("step"), fields.Text("path"), fields.Number("ms")};
}

Event ReadWarning(JsonFields& fields) {
  return WarningEvent{fields.Integer("step"), fields.Text("message")};
}

TensorSummary ReadSummary(JsonFields& fields) {
  TensorSummary summary{.norm = fields.Number("norm"),
                        .largest = fields.Number("largest"),
                        .zeros = fields.Number("zeros"),
                        .not_finite = fields.Integer("not_finite"),
                        .histogram = {}};
  if (!fields.Has("histogram")) return summary;
  fields.Object("histogram", [&](JsonFields& f) {
    summary.histogram = {f.Number("low"), f.Number("high"), f.Integers("counts")};
  });
  return summary;
}

Event ReadTensors(JsonFields& fields) {
  TensorsEvent event{.step = fields.Integer("step"), .tensors = {}};
  fields.Objects("tensors", [&](JsonFields& f) {
    TensorHealth tensor{.name = f.Text("name"),
                        .layer = f.Integer("layer"),
                        .elements = f.Integer("elements"),
                        .weight = {},
                        .gradient = {}};
    f.Object("weight", [&](JsonFields& part) { tensor.weight = ReadSummary(part); });
    if (f.Has("gradient")) {
      f.Object("gradient", [&](JsonFields& part) { tensor.gradient = ReadSummary(part); });
    }
    event.tensors.push_back(std::move(tensor));
  });
  return event;
}

Event ReadKernels(JsonFields& fields) {
  KernelsEvent event{.step = fields.Integer("step"),
                     .steps = fields.Integer("steps"),
                     .ms = fields.Number("ms"),
                     .kernels = {}};
  fields.Objects("kernels", [&](JsonFields& f) {
    event.kernels.push_back({.name = f.Text("name"),
                             .launches = f.Integer("launches"),
                             .ms = f.Number("ms"),
                             .gflop_per_s = f.Number("gflop_per_s"),
                             .share = f.Number("share")});
  });
  return event;
}

Event ReadSystem(JsonFields& fields) {
  return SystemEvent{.step = fields.Integer("step"),
                     .time = fields.Number("time"),
                     .rss_bytes = fields.Integer("rss_bytes"),
                     .peak_rss_bytes = fields.Integer("peak_rss_bytes"),
                     .process_cpu = fields.Number("process_cpu"),
                     .machine_cpu = fields.Number("machine_cpu"),
                     .watts = fields.Numbers("watts")};
}

ProgramCosts ReadCosts(JsonFields& fields) {
  return {.processes = fields.Integer("processes"),
          .programs = fields.Integer("programs"),
          .compile_ms = fields.Number("compile_ms"),
          .steps = fields.Integer("steps"),
          .launches = fields.Integer("launches"),
          .copies = fields.Integer("copies"),
          .copied_bytes = fields.Integer("copied_bytes"),
          .handed_on = fields.Integer("handed_on")};
}

Event ReadEnd(JsonFields& fields) {
  EndEvent event{.step = fields.Integer("step"),
                 .reason = fields.Text("reason"),
                 .wall_s = fields.Number("wall_s"),
                 .message = fields.TextOr("message", ""),
                 .time = fields.NumberOr("time", 0),
                 .telemetry_ms = fields.NumberOr("telemetry_ms", 0),
                 .costs = {}};
  if (fields.Has("costs")) {
    fields.Object("costs", [&](JsonFields& costs) { event.costs = ReadCosts(costs); });
  }
  return event;
}

struct Reader {
  std::string_view type;
  Event (*read)(JsonFields& fields);
};
constexpr std::array kReaders = {
    Reader{"step", ReadStep},       Reader{"update", ReadUpdate},
    Reader{"system", ReadSystem},   Reader{"validation", ReadValidation},
    Reader{"sample", ReadSample},   Reader{"checkpoint", ReadCheckpoint},
    Reader{"warning", ReadWarning}, Reader{"tensors", ReadTensors},
    Reader{"kernels", ReadKernels}, Reader{"config", ReadConfig},
    Reader{"end", ReadEnd},
};

}  // namespace

Result<Event> ParseJsonLine(std::string_view line) {
  const auto tape = JsonTape::Read(line);
  if (!tape || tape->root().kind() != JsonKind::kObject) return BadInput("not a JSON object");
  JsonFields fields(tape->root());
  const std::string type = fields.Text("type");
  for (const Reader& reader : kReaders) {
    if (reader.type != type) continue;
    Event event = reader.read(fields);
    if (auto status = fields.Check(); !status) return status.error();
    return event;
  }
  return BadInput("unknown event type '{}'", type);
}

}  // namespace millwright::telemetry
