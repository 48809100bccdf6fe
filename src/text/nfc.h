// Unicode normalization form C, by utf8proc.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"

namespace millwright::text {

// Appends the normal form of `text`, which is valid UTF-8. Text that is normal already is
// recognised and copied. Bad input: more than 16,384 combining characters in a row, for which
// utf8proc would need minutes.
Status AppendNfc(std::string_view text, std::string& out);

// The last place at which `text` can be cut, so that the normal forms of the parts, whatever comes
// after them, make up that of the whole. 0 if there is none.
size_t LastNfcCut(std::string_view text);

}  // namespace millwright::text
