// JSON in which no name may occur twice.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "base/result.h"

namespace millwright::checkpoint {

// Parses an object in which no key occurs twice, at any depth. `what` names it in errors: "the
// header".
Result<nlohmann::json> ParseUniqueJson(std::string_view text, std::string_view what);

// A name from a file, fit for a message: quoted, control characters escaped.
std::string Quoted(std::string_view text);

}  // namespace millwright::checkpoint
