// How a network's tensors are: norms, zeros, what is not finite, how their elements are spread.
#pragma once

#include "data/vocabulary.h"
#include "telemetry/event.h"
#include "train/parameters.h"

namespace millwright::train {

// Measures every weight and, where it is trained, its gradient, which must have been measured for
// the update (see MeasureGradients) and counts `gradient_scale` times. One pass over 8 bytes a
// parameter. The event's step is left to the caller.
telemetry::TensorsEvent MeasureTensors(const ParameterSet<float>& parameters,
                                       const data::VocabMap& vocab, double gradient_scale);

}  // namespace millwright::train
