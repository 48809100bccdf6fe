// How a run is doing, as JSON.
#pragma once

#include <string>

#include "telemetry/run_status.h"

namespace millwright::app::web {

// The object that docs/dashboard.md lists as `status`; figures that are not known are null.
std::string StatusJson(const telemetry::RunStatus& status);

}  // namespace millwright::app::web
