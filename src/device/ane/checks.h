// The predicates of the table's rows; by theme in check_*.cc.
#pragma once

#include "device/ane/facts.h"

namespace millwright::device::ane {

#define CONSTRAINT(id, Check, severity, Applies, chips, source, summary, way_out) \
  void Check(const Facts& facts, Findings& findings);
#include "device/ane/constraints.def"
#undef CONSTRAINT

}  // namespace millwright::device::ane
