// Escapes of C in what a user types.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace millwright {

// `text` with \n \r \t \f \v \a \b \0 \\ \' \" and \xHH replaced by what they stand for. Bad input:
// another escape, or a backslash at the end.
Result<std::string> Unescape(std::string_view text);

}  // namespace millwright
