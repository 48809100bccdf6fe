#include "app/report/report.h"

#include "app/report/html.h"
#include "app/report/sections.h"
#include "base/atomic_file.h"
#include "telemetry/metrics_reader.h"

namespace millwright::app::report {
std::string RenderReport(const telemetry::Metrics& metrics, const telemetry::RunStatus& status) {
  const std::string title = Title(metrics);
  std::string body = fmt::format("<h1>{}</h1>\n<p class=\"headline\">{}</p>\n", Escape(title),
                                 Escape(status.headline));
  body += Findings(status) + Figures(status) + "<div class=\"cards\">\n";
  for (const std::string& section :
       {LossPlot(metrics), RatePlot(metrics), GradientPlot(metrics), SpeedPlot(metrics),
        Phases(status), Kernels(metrics), Costs(metrics), Validations(metrics), Samples(metrics),
        Tensors(metrics), Machine(metrics), Settings(metrics)}) {
    body += section;
  }
  body += "</div>\n";
  return Page(title, body);
}

Result<std::string> WriteReport(const std::string& run_dir) {
  telemetry::RunWatch watch;
  const auto metrics = telemetry::ReadMetrics(
      run_dir + "/metrics.jsonl", [&](const telemetry::Event& event) { watch.Add(event); });
  if (!metrics) return metrics.error();
  const auto status = watch.Assess(telemetry::LookAround(run_dir, watch.config()));
  const std::string path = run_dir + "/report.html";
  auto written = WriteFileAtomically(path, RenderReport(*metrics, status));
  if (!written) return written.error();
  return path;
}

}  // namespace millwright::app::report
