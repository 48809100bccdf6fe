// Steps of a plan that are carried out at once: products that do not depend on each other (queries,
// keys and values; gate and up) and sums of products, one after another in the plan. Their threads
// need not wait for each other in between.
#pragma once

#include "base/result.h"
#include "device/cpu/plan.h"

namespace millwright::device::cpu {

// Fills in Plan::together. Comes before PlaceBuffers.
void FindStepsTogether(Plan& plan);

// Runs all steps of a plan for which that has been done.
Status RunSteps(const Plan& plan, const RunContext& context);

}  // namespace millwright::device::cpu
