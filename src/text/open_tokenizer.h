// Which tokenizer a path holds.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "text/tokenizer.h"

namespace millwright::text {

// Opens `path`: a tokenizer.json (byte-level BPE), a tokenizer.bin (llama2.c; any file name that
// ends in .bin), or a folder that holds one of them (tokenizer.json first). Anything else is
// refused with a message that names what is supported.
Result<std::unique_ptr<Tokenizer>> OpenTokenizer(const std::string& path);

}  // namespace millwright::text
