// The final report of a run: one page that says how it went.
#pragma once

#include <string>

#include "base/result.h"
#include "telemetry/metrics.h"
#include "telemetry/run_status.h"

namespace millwright::app::report {

// The page: findings, curves, validation, texts, where the time went, tensors, settings, machine
// and data. Everything comes from the metrics; nothing outside the page is referred to.
std::string RenderReport(const telemetry::Metrics& metrics, const telemetry::RunStatus& status);

// Reads `run_dir`/metrics.jsonl, of a run that goes on, has ended or was cut off, and writes
// report.html beside it. The path. Bad input: no metrics there, or none that can be read.
Result<std::string> WriteReport(const std::string& run_dir);

}  // namespace millwright::app::report
