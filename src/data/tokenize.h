// Text files to token shards and back, in bounded memory.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/result.h"
#include "text/tokenizer.h"

namespace millwright::data {

struct TokenizeOptions {
  bool bos = false;        // before each document
  bool eos = false;        // after each document
  std::string split;       // ends a document and is no part of it; empty: the file is one document
  std::string text_field;  // not empty: each line is a JSON object, and this field of it a document
  text::SpecialText special = text::SpecialText::kRecognised;
  std::string tokenizer_name;  // for the sidecar
};

struct TokenizeReport {
  int64_t bytes = 0;
  int64_t documents = 0;
  int64_t tokens = 0;
  int bytes_per_token = 0;
};

// Called now and then with the bytes done and the bytes in all (0 if that is not known).
using TokenizeProgress = std::function<void(int64_t done, int64_t total)>;

// Encodes the text file `in` byte for byte and writes the shard `out` with its sidecar. Documents
// that are empty are left out. Bad input, with nothing written: a file that cannot be read or holds
// no text, BOS or EOS of a tokenizer that has none, a line that is not the JSON asked for (with its
// number), text on which the tokenizer fails.
Result<TokenizeReport> TokenizeFile(const text::Tokenizer& tokenizer, const std::string& in,
                                    const std::string& out, const TokenizeOptions& options,
                                    const TokenizeProgress& progress = {});

// Decodes the shard `in` into the text file `out`. BOS and EOS bound documents and are not written;
// after each document comes `split`. Documents that are empty are left out. Bad input, with nothing
// written: a shard that cannot be read, or with ids outside the tokenizer's vocabulary.
Result<TokenizeReport> DetokenizeFile(const text::Tokenizer& tokenizer, const std::string& in,
                                      const std::string& out, const std::string& split,
                                      const TokenizeProgress& progress = {});

}  // namespace millwright::data
