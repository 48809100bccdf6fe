// Text as training data: encoded on the fly, once.
#pragma once

#include <string>

#include "base/result.h"
#include "text/tokenizer.h"
#include "train/options.h"

namespace millwright::app {

// Whether a data file is text: one that is no .bin where there is a --tokenizer, else a .txt or
// .jsonl.
bool IsText(const std::string& path, const train::TrainOptions& options);

// The token shard of a text file, from the cache or made now. A .jsonl (or any file with
// --text-field) has a document a line, other files are split at --split or one document. Each
// begins with BOS, or ends with EOS where the tokenizer has no BOS. The cache is
// CacheFolder(); a shard's name has a hash of the text, the
// tokenizer's files and these options. Errors are those of TokenizeFile.
Result<std::string> ShardOfText(const std::string& path, const text::Tokenizer& tokenizer,
                                const train::TrainOptions& options);

}  // namespace millwright::app
