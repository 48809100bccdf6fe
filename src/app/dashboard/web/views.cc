#include "app/dashboard/web/views.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "app/dashboard/web/json_text.h"

namespace millwright::app::web {
namespace {

constexpr int64_t kMostPoints = 4000;
constexpr int64_t kMostColumns = 400;

Reply Json(std::string body) { return {200, "application/json", std::move(body)}; }

Reply Refusal(int status, const std::string& message) {
  return {status, "application/json", fmt::format("{{\"error\":{}}}", JsonString(message))};
}

// The text of a parameter, or an empty one.
std::string Text(const Parameters& parameters, const std::string& name) {
  const auto found = parameters.find(name);
  return found == parameters.end() ? std::string() : found->second;
}

// The whole number of a parameter; `absent` if it is not there or is none.
int64_t Number(const Parameters& parameters, const std::string& name, int64_t absent) {
  const std::string text = Text(parameters, name);
  int64_t value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = parsed.ec == std::errc() && parsed.ptr == text.data() + text.size();
  return whole ? value : absent;
}

// Tensors and settings are the run's own JSON; text that is not UTF-8 must not make it unreadable.
std::string Dump(const nlohmann::json& json) {
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

Reply ListRuns(const WatchedRuns& runs) {
  std::string list;
  for (const auto& run : runs) {
    const auto lock = run->Lock();
    list += fmt::format("{}{{\"run\":{},\"name\":{},\"path\":{},\"epoch\":{},\"status\":{}}}",
                        list.empty() ? "" : ",", run->index(), JsonString(run->name()),
                        JsonString(run->dir()), run->epoch(), run->status());
  }
  return Json("{\"runs\":[" + list + "]}");
}

Reply Series(const WatchedRun& run, const Parameters& parameters) {
  const int64_t from = Number(parameters, "from", 0);
  const int64_t to = Number(parameters, "to", StepTable::kLast);
  const auto points =
      static_cast<size_t>(std::clamp<int64_t>(Number(parameters, "points", 800), 1, kMostPoints));
  const auto lock = run.Lock();
  const RunRecord& record = run.record();
  std::string tables;
  for (const auto& [name, table] : {std::pair{"steps", &record.steps()},
                                    {"updates", &record.updates()},
                                    {"validations", &record.validations()},
                                    {"system", &record.system()}}) {
    tables += fmt::format("{}\"{}\":{}", tables.empty() ? "" : ",", name,
                          JsonBuckets(table->Window(from, to, points)));
  }
  const auto& steps = record.steps().steps();
  return Json(fmt::format("{{\"epoch\":{},\"first_step\":{},\"last_step\":{},\"tables\":{{{}}}}}",
                          run.epoch(), steps.empty() ? 0 : steps.front(),
                          record.steps().last_step(), tables));
}

Reply Config(const WatchedRun& run, const Parameters&) {
  const auto lock = run.Lock();
  const telemetry::ConfigEvent* config = run.record().watch().config();
  if (config == nullptr) return Json("{\"settings\":null,\"machine\":null,\"host\":\"\"}");
  return Json(fmt::format("{{\"settings\":{},\"machine\":{},\"host\":{}}}", Dump(config->settings),
                          Dump(config->machine), JsonString(config->host)));
}

Reply Kernels(const WatchedRun& run, const Parameters&) {
  const auto lock = run.Lock();
  const auto& event = run.record().kernels();
  if (!event) return Json("{\"steps\":0,\"kernels\":[]}");
  std::string list;
  for (const auto& kernel : event->kernels) {
    list += fmt::format(
        "{}{{\"name\":{},\"launches\":{},\"ms\":{},\"gflop_per_s\":{},\"share\":{}}}",
        list.empty() ? "" : ",", JsonString(kernel.name), kernel.launches, JsonNumber(kernel.ms),
        JsonNumber(kernel.gflop_per_s), JsonNumber(kernel.share));
  }
  return Json(fmt::format("{{\"step\":{},\"steps\":{},\"ms\":{},\"kernels\":[{}]}}", event->step,
                          event->steps, JsonNumber(event->ms), list));
}

std::string SummaryJson(const telemetry::TensorSummary& summary) {
  return fmt::format("[{},{},{},{}]", JsonNumber(summary.norm), JsonNumber(summary.largest),
                     JsonNumber(summary.zeros), summary.not_finite);
}

std::string LatestTensors(const std::optional<telemetry::TensorsEvent>& event) {
  if (!event) return "null";
  std::string list;
  for (const auto& tensor : event->tensors) {
    list += fmt::format("{}{{\"name\":{},\"elements\":{},\"weight\":{},\"gradient\":{}}}",
                        list.empty() ? "" : ",", JsonString(tensor.name), tensor.elements,
                        SummaryJson(tensor.weight),
                        tensor.gradient ? SummaryJson(*tensor.gradient) : "null");
  }
  return fmt::format("{{\"step\":{},\"tensors\":[{}]}}", event->step, list);
}

Reply Tensors(const WatchedRun& run, const Parameters& parameters) {
  static const std::map<std::string, Measure> measures = {{"norm", Measure::kNorm},
                                                          {"largest", Measure::kLargest},
                                                          {"zeros", Measure::kZeros},
                                                          {"not_finite", Measure::kNotFinite}};
  const auto measure = measures.find(Text(parameters, "measure"));
  HealthQuestion question{.gradients = Text(parameters, "of") != "weights",
                          .kind = Text(parameters, "kind")};
  if (measure != measures.end()) question.measure = measure->second;
  const int64_t columns = Number(parameters, "columns", 120);
  const auto lock = run.Lock();
  const HealthHistory& health = run.record().health();
  const HealthMap map =
      health.Draw(question, static_cast<size_t>(std::clamp<int64_t>(columns, 1, kMostColumns)));
  return Json(fmt::format("{{\"kinds\":{},\"map\":{},\"latest\":{}}}", JsonStrings(health.Kinds()),
                          JsonHealthMap(map), LatestTensors(health.latest())));
}

Reply Histograms(const WatchedRun& run, const Parameters& parameters) {
  const bool gradients = Text(parameters, "of") != "weights";
  const int64_t most = std::clamp<int64_t>(Number(parameters, "most", 120), 1, kMostColumns);
  const auto lock = run.Lock();
  const HistogramHistory& history = run.record().histograms();
  std::string tensor = Text(parameters, "tensor");
  if (!history.Knows(tensor)) tensor = history.names().empty() ? "" : history.names().front();
  return Json(
      fmt::format("{{\"tensors\":{},\"tensor\":{},\"series\":{}}}", JsonStrings(history.names()),
                  JsonString(tensor),
                  JsonHistograms(history.Of(tensor, gradients, static_cast<size_t>(most)))));
}

Reply Samples(const WatchedRun& run, const Parameters& parameters) {
  const int64_t most = std::max<int64_t>(Number(parameters, "most", 50), 1);
  const auto lock = run.Lock();
  const auto& samples = run.record().samples();
  std::string list;
  for (auto sample = samples.rbegin(); sample != samples.rend() && sample - samples.rbegin() < most;
       ++sample) {
    list += fmt::format("{}{{\"step\":{},\"prompt\":{},\"text\":{},\"tokens\":{},\"ms\":{}}}",
                        list.empty() ? "" : ",", sample->step, JsonString(sample->prompt),
                        JsonString(sample->text), sample->tokens, JsonNumber(sample->ms));
  }
  return Json("{\"samples\":[" + list + "]}");
}

Reply Log(const WatchedRun& run, const Parameters&) {
  const auto lock = run.Lock();
  std::string list;
  for (const LogLine& line : run.record().log()) {
    list += fmt::format("{}{{\"step\":{},\"kind\":\"{}\",\"text\":{}}}", list.empty() ? "" : ",",
                        line.step, line.kind, JsonString(line.text));
  }
  return Json("{\"lines\":[" + list + "]}");
}

using RunView = Reply (*)(const WatchedRun&, const Parameters&);

Route OfOneRun(const WatchedRuns& runs, RunView view) {
  return [&runs, view](const Parameters& parameters) {
    const int64_t index = Number(parameters, "run", -1);
    if (index < 0 || index >= static_cast<int64_t>(runs.size())) {
      return Refusal(404, fmt::format("run: expected a number below {}", runs.size()));
    }
    return view(*runs[static_cast<size_t>(index)], parameters);
  };
}

}  // namespace

void AddViews(const WatchedRuns& runs, Routes& routes) {
  routes["/api/runs"] = [&runs](const Parameters&) { return ListRuns(runs); };
  routes["/api/series"] = OfOneRun(runs, Series);
  routes["/api/config"] = OfOneRun(runs, Config);
  routes["/api/kernels"] = OfOneRun(runs, Kernels);
  routes["/api/tensors"] = OfOneRun(runs, Tensors);
  routes["/api/histograms"] = OfOneRun(runs, Histograms);
  routes["/api/samples"] = OfOneRun(runs, Samples);
  routes["/api/log"] = OfOneRun(runs, Log);
}

}  // namespace millwright::app::web
