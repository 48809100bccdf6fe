// The flag --binding.
#pragma once

#include <string_view>

#include "base/result.h"
#include "kernels/kernel.h"

namespace millwright::app {

// The binding of that name. Bad input lists what there is.
Result<kernels::Binding> BindingFromFlag(std::string_view name);

}  // namespace millwright::app
