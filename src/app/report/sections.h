// The parts of a report, each as HTML; empty where there is nothing to show.
#pragma once

#include <string>

#include "telemetry/metrics.h"
#include "telemetry/run_status.h"

namespace millwright::app::report {

// "Stories 110M: a run of 500 micro-steps" as text.
std::string Title(const telemetry::Metrics& metrics);

std::string Findings(const telemetry::RunStatus& status);
std::string Figures(const telemetry::RunStatus& status);  // a row of tiles

std::string LossPlot(const telemetry::Metrics& metrics);
std::string RatePlot(const telemetry::Metrics& metrics);
std::string GradientPlot(const telemetry::Metrics& metrics);
std::string SpeedPlot(const telemetry::Metrics& metrics);

std::string Phases(const telemetry::RunStatus& status);
std::string Kernels(const telemetry::Metrics& metrics);  // of the whole run
// Launches, copies and compilations; empty of a run that did not say.
std::string Costs(const telemetry::Metrics& metrics);
std::string Validations(const telemetry::Metrics& metrics);
std::string Samples(const telemetry::Metrics& metrics);
std::string Tensors(const telemetry::Metrics& metrics);  // when they were measured last
std::string Machine(const telemetry::Metrics& metrics);  // and the data
std::string Settings(const telemetry::Metrics& metrics);

}  // namespace millwright::app::report
