// Which tokenizer a path holds.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "text/tokenizer.h"

namespace millwright::text {

// Opens `path`: a tokenizer.json or vocab.json (byte-level BPE; with the files beside it), a
// tokenizer.model (SentencePiece; any name that ends in .model), a tokenizer.bin (llama2.c; any
// name that ends in .bin), or a folder that holds one of them, looked for in the order
// tokenizer.model, tokenizer.json, tokenizer.bin, vocab.json. Anything else is refused with a
// message that names what is supported.
Result<std::unique_ptr<Tokenizer>> OpenTokenizer(const std::string& path);

}  // namespace millwright::text
