// Is a program well formed and well typed?
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "mil/program.h"

namespace millwright::mil {

// Whether `id` may name a value: letters, digits and underscores, no digit first, and not true or
// false.
bool IsIdentifier(std::string_view id);

// One thing that is wrong with a program.
struct Problem {
  std::string function;  // its name; empty if the problem is the program's
  std::string id;        // SSA identifier of the value, or of the operation's first result, if any
  Error error;           // names function, operation and identifier, too
};

// Checks every function: identifiers unique, values defined before use, operations known to the
// opset, arguments known, present and of an allowed kind, and every declared result type equal to
// the inferred one. An operation whose operands are in doubt is checked against the types that they
// declare, so that one mistake is one problem. In the order of checking; empty for a valid program.
std::vector<Problem> FindProblems(const Program& program);
std::vector<Problem> FindProblems(const Function& function);

// The first of them.
Status Verify(const Program& program);
Status Verify(const Function& function);

}  // namespace millwright::mil
