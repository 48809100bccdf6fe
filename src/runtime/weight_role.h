// Which parameter stands behind a kernel's weight operand, for folders that stand on runtime.
#pragma once

#include "kernels/weight_role.h"

namespace millwright::runtime {

using kernels::WeightRole;

}  // namespace millwright::runtime
