// Texts from a file of JSON objects, one a line.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace millwright::data {

// The text in field `field` of the object that `line` is. Errors say what was expected.
Result<std::string> TextOfJsonLine(std::string_view line, const std::string& field);

}  // namespace millwright::data
