// Is a program well formed and well typed?
#pragma once

#include <string_view>

#include "base/result.h"
#include "mil/program.h"

namespace millwright::mil {

// Whether `id` may name a value: letters, digits and underscores, no digit first, and not true or
// false.
bool IsIdentifier(std::string_view id);

// Checks every function: identifiers unique, values defined before use, operations known to the
// opset, arguments known, present and of an allowed kind, and every declared result type equal to
// the inferred one. The first problem is returned, named by operation and SSA identifier.
Status Verify(const Program& program);
Status Verify(const Function& function);

}  // namespace millwright::mil
