// Operations of coremltools that are no operations here, and why.
#pragma once

#include <string_view>

namespace millwright::mil {

// Why the operation of that name is refused: "its result's shape depends on values". Empty for a
// name that is not known at all.
std::string_view WhyUnsupported(std::string_view op);

}  // namespace millwright::mil
