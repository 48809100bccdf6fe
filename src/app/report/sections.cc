#include "app/report/sections.h"

#include <fmt/format.h>

#include <cmath>
#include <ranges>

#include "app/report/html.h"
#include "base/readable_bytes.h"
#include "telemetry/duration.h"

namespace millwright::app::report {
namespace {

using nlohmann::json;
using telemetry::Metrics;

std::string Card(const char* heading, const std::string& content, const char* more = "") {
  return fmt::format("<section class=\"card{}\">\n<h2>{}</h2>\n{}</section>\n", more, heading,
                     content);
}

// A table of cells that are HTML already; cells after the first are numbers if `numbers`.
std::string Table(const std::vector<std::string>& heads,
                  const std::vector<std::vector<std::string>>& rows, bool numbers) {
  const auto row = [numbers](const std::vector<std::string>& cells, const char* tag) {
    std::string html = "<tr>";
    for (size_t i = 0; i < cells.size(); ++i) {
      html += fmt::format("<{}{}>{}</{}>", tag, numbers && i > 0 ? " class=\"number\"" : "",
                          cells[i], tag);
    }
    return html + "</tr>\n";
  };
  std::string html = "<table>\n";
  if (!heads.empty()) html += row(heads, "th");
  for (const auto& cells : rows) html += row(cells, "td");
  return html + "</table>\n";
}

std::string Number(double value, const char* format) {
  return std::isfinite(value) ? fmt::format(fmt::runtime(format), value) : "–";
}

// What run.json says under `name`; null where it says nothing.
json OfRun(const Metrics& metrics, const char* name) {
  if (!metrics.config || !metrics.config->settings.is_object()) return {};
  return metrics.config->settings.value(name, json());
}

// The plain values of nested objects, a row each.
void AddRows(const json& object, const std::string& prefix,
             std::vector<std::vector<std::string>>& rows) {
  if (!object.is_object()) return;
  for (const auto& [name, value] : object.items()) {
    if (value.is_object()) {
      AddRows(value, prefix + name + ".", rows);
      continue;
    }
    const std::string text = value.is_string()
                                 ? value.get<std::string>()
                                 : value.dump(-1, ' ', false, json::error_handler_t::replace);
    rows.push_back({Escape(prefix + name), Escape(text)});
  }
}

}  // namespace

std::string Title(const Metrics& metrics) {
  const json settings = OfRun(metrics, "settings");
  std::string model = "Run";
  if (settings.is_object() && settings.value("config", json()).is_object()) {
    const json title = settings["config"].value("title", json());
    if (title.is_string()) model = title.get<std::string>();
  }
  return fmt::format("{}: {} micro-steps", model, metrics.last_step);
}

std::string Findings(const telemetry::RunStatus& status) {
  std::string items;
  for (const telemetry::Finding& finding : status.findings) {
    // The page's headline has said it.
    const bool note = finding.severity == telemetry::Severity::kNote;
    if (note && finding.text == status.headline) continue;
    const auto severity = telemetry::SeverityName(finding.severity);
    items += fmt::format("<li class=\"{}\"><b>{}</b>{}</li>\n", severity, severity,
                         Escape(finding.text));
  }
  return items.empty() ? "" : fmt::format("<ul class=\"findings\">\n{}</ul>\n", items);
}

std::string Figures(const telemetry::RunStatus& status) {
  std::string html = "<div class=\"figures\">\n";
  const auto add = [&](const std::string& value, const char* what) {
    html += fmt::format("<div class=\"figure\"><b>{}</b><span>{}</span></div>\n", value, what);
  };
  const std::string all = status.steps > 0 ? fmt::format(" / {}", status.steps) : "";
  add(fmt::format("{}{}", status.step, all), "micro-steps");
  add(Number(status.smoothed_loss, "{:.4f}"), "loss, last 20");
  if (status.best_validation) {
    add(Number(status.best_validation->val_loss, "{:.4f}"), "best validation loss");
  }
  add(telemetry::ReadableDuration(status.seconds_run), "time of the run");
  add(Number(status.tokens_per_s, "{:.0f}"), "tokens a second");
  add(Number(status.ms_per_step, status.ms_per_step < 100 ? "{:.1f} ms" : "{:.0f} ms"),
      "a micro-step");
  if (std::isfinite(status.floor_share)) {
    add(Number(100 * status.floor_share, "{:.0f}%"), "of the machine's FMA rate");
  }
  if (status.last_system && status.last_system->peak_rss_bytes > 0) {
    add(ReadableBytes(static_cast<uint64_t>(status.last_system->peak_rss_bytes)), "peak memory");
  }
  return html + "</div>\n";
}

std::string Phases(const telemetry::RunStatus& status) {
  const double total = status.phases.total();
  if (!(total > 0)) return "";
  std::vector<std::vector<std::string>> rows;
  for (const auto& [name, ms] : status.phases.parts()) {
    rows.push_back({name, fmt::format("{:.2f}", ms), fmt::format("{:.1f}%", 100 * ms / total)});
  }
  return Card("Where a micro-step's time goes, last 20",
              Table({"part", "ms", "share"}, rows, true));
}

std::string Kernels(const Metrics& metrics) {
  struct Sum {
    int64_t launches = 0;
    double ms = 0, gflop = 0;
  };
  std::vector<std::pair<std::string, Sum>> sums;
  double total = 0;
  for (const auto& [step, event] : metrics.kernels) {
    total += event.ms;
    for (const telemetry::KernelLoad& kernel : event.kernels) {
      auto at = std::ranges::find(sums, kernel.name, &std::pair<std::string, Sum>::first);
      if (at == sums.end()) at = sums.insert(at, {kernel.name, {}});
      at->second.launches += kernel.launches;
      at->second.ms += kernel.ms;
      at->second.gflop += kernel.gflop_per_s * kernel.ms * 1e-3;
    }
  }
  if (sums.empty()) return "";
  std::vector<std::vector<std::string>> rows;
  for (const auto& [name, sum] : sums) {
    const bool products = sum.gflop > 0 && sum.ms > 0;
    rows.push_back({Escape(name), fmt::to_string(sum.launches),
                    fmt::format("{:.3f}", sum.ms / static_cast<double>(sum.launches)),
                    products ? fmt::format("{:.1f}", sum.gflop / sum.ms * 1e3) : "–",
                    fmt::format("{:.1f}%", total > 0 ? 100 * sum.ms / total : 0)});
  }
  return Card("Kernels and host steps, the whole run",
              Table({"kernel", "launches", "ms each", "GFLOP/s", "share"}, rows, true));
}

std::string Costs(const Metrics& metrics) {
  if (!metrics.end || !metrics.end->costs || metrics.end->costs->steps == 0) return "";
  const telemetry::ProgramCosts& costs = *metrics.end->costs;
  const auto per_step = [&](int64_t count) {
    return static_cast<double>(count) / static_cast<double>(costs.steps);
  };
  return Card(
      "Programs and copies, the whole run",
      Table({"what", "figure"},
            {{"programs compiled", fmt::to_string(costs.programs)},
             {"time to compile them", fmt::format("{:.0f} ms", costs.compile_ms)},
             {"processes", fmt::to_string(costs.processes)},
             {"micro-steps a program",
              fmt::format("{:.2f}", costs.programs > 0 ? static_cast<double>(costs.steps) /
                                                             static_cast<double>(costs.programs)
                                                       : 0.0)},
             {"launches a micro-step", fmt::format("{:g}", per_step(costs.launches))},
             {"operands copied to or from the device, a micro-step",
              fmt::format("{:g}", per_step(costs.copies))},
             {"of these, MB", fmt::format("{:.2f}", per_step(costs.copied_bytes) * 1e-6)},
             {"operands handed from kernel to kernel, a micro-step",
              fmt::format("{:g}", per_step(costs.handed_on))}},
            true));
}

std::string Validations(const Metrics& metrics) {
  if (metrics.validations.empty()) return "";
  std::vector<std::vector<std::string>> rows;
  for (const auto& [step, event] : metrics.validations) {
    rows.push_back({fmt::to_string(step), Number(event.val_loss, "{:.4f}"),
                    Number(std::exp(event.val_loss), "{:.2f}"), fmt::to_string(event.windows)});
  }
  return Card("Validation", Table({"step", "loss", "perplexity", "windows"}, rows, true));
}

std::string Samples(const Metrics& metrics) {
  if (metrics.samples.empty()) return "";
  std::string html;
  for (const auto& [step, sample] : metrics.samples | std::views::reverse) {
    html += fmt::format(
        "<div class=\"sample\"><span class=\"quiet\">step "
        "{}</span><pre><em>{}</em>{}</pre></div>\n",
        step, Escape(sample.prompt), Escape(sample.text));
  }
  return Card("Texts from the weights, the newest first", html, " wide");
}

std::string Tensors(const Metrics& metrics) {
  if (metrics.tensors.empty()) return "";
  const auto& [step, event] = *metrics.tensors.rbegin();
  std::vector<std::vector<std::string>> rows;
  for (const telemetry::TensorHealth& tensor : event.tensors) {
    const auto& gradient = tensor.gradient;
    const int64_t bad = tensor.weight.not_finite + (gradient ? gradient->not_finite : 0);
    rows.push_back({Escape(tensor.name), Number(tensor.weight.norm, "{:.4g}"),
                    Number(tensor.weight.largest, "{:.4g}"),
                    gradient ? Number(gradient->norm, "{:.3g}") : "frozen",
                    gradient ? Number(100 * gradient->zeros, "{:.2f}%") : "–",
                    fmt::to_string(bad)});
  }
  return Card(
      "Tensors",
      fmt::format(
          "<details><summary>{} tensors, as they were at step {}</summary>\n{}"
          "</details>\n",
          rows.size(), step,
          Table({"tensor", "norm", "largest", "gradient", "its zeros", "not finite"}, rows, true)),
      " wide");
}

std::string Machine(const Metrics& metrics) {
  std::vector<std::vector<std::string>> rows;
  if (metrics.config) {
    if (!metrics.config->host.empty()) rows.push_back({"host", Escape(metrics.config->host)});
    AddRows(metrics.config->machine, "", rows);
  }
  for (const char* name :
       {"device", "data", "data_tokens", "data_hash", "active_words", "version"}) {
    AddRows(json{{name, OfRun(metrics, name)}}, "", rows);
  }
  return Card("Machine and data", Table({}, rows, false));
}

std::string Settings(const Metrics& metrics) {
  std::vector<std::vector<std::string>> rows;
  AddRows(OfRun(metrics, "settings"), "", rows);
  if (rows.empty()) return "";
  return Card("Settings", "<details><summary>all settings of the run</summary>\n" +
                              Table({}, rows, false) + "</details>\n");
}

}  // namespace millwright::app::report
