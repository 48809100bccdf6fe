// What a run needs, known before anything is allocated.
#pragma once

#include <cstdint>

#include "device/device.h"
#include "train/options.h"
#include "train/origin.h"

namespace millwright::train {

struct Footprint {
  int64_t parameters = 0;        // trained ones: a compacted embedding counts its rows in memory
  uint64_t parameter_bytes = 0;  // weight, gradient, two moments: 16 bytes each, 12 with moments in
                                 // bf16; frozen: 4
  uint64_t activation_bytes = 0;  // buffers of the plan, logits
  // Copies on the device: staged ones, 0 where it wraps host memory; and 8-bit ones.
  uint64_t surface_bytes = 0;

  uint64_t total() const { return parameter_bytes + activation_bytes + surface_bytes; }
};

// `embedding_rows` is VocabMap::rows().
Footprint EstimateFootprint(const TrainOptions& options, const device::Device& device,
                            int64_t embedding_rows);

// The same for evaluation: weights, and the buffers of a forward step.
Footprint EstimateForwardFootprint(const TrainOptions& options, const device::Device& device,
                                   int64_t embedding_rows);

// Disk: one training state, and what a run folder holds at most (two states, the best, one being
// written, and model/).
struct DiskNeed {
  uint64_t state_bytes = 0;
  uint64_t run_bytes = 0;
};
DiskNeed EstimateDisk(const TrainOptions& options, const Origin& origin, int64_t embedding_rows);

}  // namespace millwright::train
