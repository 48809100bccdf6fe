// MIL as text.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "mil/program.h"

namespace millwright::mil {

// Parses a program. Types are taken as written (Verify checks them). Errors carry line and column,
// what was expected, what was found, and the line itself with a caret. `where` names the source.
Result<Program> Parse(std::string_view text, std::string_view where = "MIL");

// The canonical text: Parse(Print(p)) == p, and Print is idempotent. Floats are written so that
// they read back to the same bits.
std::string Print(const Program& program);

// The verbose dialect that compilers before macOS 15 want (fact A12): `tensor<string, []>("x")`,
// program(1.0), ios16.
std::string PrintVerbose(const Program& program);

}  // namespace millwright::mil
