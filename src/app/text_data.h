// Text as data: encoded on the fly, once.
#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "base/result.h"
#include "data/token_source.h"
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

// The tokens of a data file, of at least `seq` + 1 (0: any number) and of options.config.vocab
// words: a shard, or text, for which `tokenizer` may not be null.
Result<std::shared_ptr<const data::TokenSource>> OpenTokens(const std::string& path,
                                                            const train::TrainOptions& options,
                                                            const text::Tokenizer* tokenizer,
                                                            int64_t seq);

// --split and --text-field.
void AddTextFlags(CLI::App& command, train::TrainOptions& options);

// Refuses them without text, and both at once.
Status CheckTextFlags(const train::TrainOptions& options);

}  // namespace millwright::app
