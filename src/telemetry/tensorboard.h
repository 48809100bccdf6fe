// A run's events for TensorBoard.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "telemetry/event.h"

namespace millwright::telemetry {

// Writes a new event file in `folder`, which is created: scalars of steps, updates, validations,
// kernels and the system, histograms of weights and gradients, generated texts, settings (as text
// and as hyper-parameters). A file belongs to one start of a run; TensorBoard reads all files of a
// folder as one run. That of a resumed run says from which step on what the earlier ones hold is
// no longer true. Fails where nothing can be written.
Result<std::unique_ptr<Sink>> OpenTensorBoard(const std::string& folder);

}  // namespace millwright::telemetry
