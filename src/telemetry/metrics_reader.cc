#include "telemetry/metrics_reader.h"

#include "telemetry/metrics_tail.h"

namespace millwright::telemetry {

Result<Metrics> ReadMetrics(const std::string& path,
                            const std::function<void(const Event&)>& also) {
  MetricsTail tail(path);
  Metrics metrics;
  const auto take = [&](const Event& event) {
    metrics.Add(event);
    if (also) also(event);
  };
  for (bool more = true; more;) {
    auto news = tail.Poll();
    if (!news) return news.error();
    if (!news->exists) return BadInput("{}: no such file", path);
    if (news->restarted) metrics = {};
    for (const Event& event : news->events) take(event);
    metrics.skipped_lines += news->skipped_lines;
    more = news->more;
  }
  std::string reason = tail.first_reason();
  if (!tail.pending().empty()) {
    const auto event = ParseJsonLine(tail.pending());
    if (event) {
      take(*event);
    } else {
      ++metrics.skipped_lines;
      if (reason.empty()) reason = event.error().message;
    }
  }
  if (metrics.events == 0 && metrics.skipped_lines > 0) {
    return BadInput("{}: holds no metrics: {}", path, reason);
  }
  return metrics;
}

}  // namespace millwright::telemetry
