// What the private API's errors mean.
#pragma once

#include <string_view>

#include "base/result.h"
#include "device/ane/api.h"

namespace millwright::device::ane {

// What a code that `text` mentions means and what helps against it, or "".
std::string_view ExplainCode(std::string_view text);

// The error of a method that returned NO, set an NSError, or both: its name, the code and text of
// the NSError, and the explanation.
Error MethodError(const CFunctions& c, std::string_view method, Id error);

}  // namespace millwright::device::ane
