#include "data/tokenize.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "base/input_file.h"
#include "data/documents.h"
#include "data/json_lines.h"
#include "data/shard_writer.h"

namespace millwright::data {
namespace {

using text::TokenId;

Result<std::optional<TokenId>> Wanted(bool wanted, std::optional<TokenId> id, const char* name) {
  if (wanted && !id) return BadInput("the tokenizer has no {}", name);
  return wanted ? id : std::nullopt;
}

// Encodes documents, part by part, into a shard.
class DocumentEncoder {
 public:
  DocumentEncoder(const text::Tokenizer& tokenizer, text::SpecialText special,
                  std::optional<TokenId> bos, std::optional<TokenId> eos, ShardWriter writer)
      : encoder_(tokenizer.NewEncoder(special)), bos_(bos), eos_(eos), writer_(std::move(writer)) {}

  Status Add(std::string_view text) {
    if (std::exchange(at_start_, false) && bos_) ids_.push_back(*bos_);
    auto status = encoder_->Add(text, ids_);
    return status && ids_.size() >= kBlock ? Flush() : status;
  }

  Status End() {
    auto status = encoder_->Finish(ids_);
    if (!status) return status;
    if (eos_) ids_.push_back(*eos_);
    at_start_ = true;
    ++documents_;
    return ids_.size() >= kBlock ? Flush() : Status();
  }

  Status Finish() {
    auto status = Flush();
    return status ? writer_.Finish() : status;
  }

  int64_t documents() const { return documents_; }
  const ShardInfo& info() const { return writer_.info(); }

 private:
  static constexpr size_t kBlock = size_t{1} << 16;

  Status Flush() {
    auto status = writer_.Append(ids_);
    ids_.clear();
    return status;
  }

  std::unique_ptr<text::Encoder> encoder_;
  std::optional<TokenId> bos_, eos_;
  ShardWriter writer_;
  std::vector<TokenId> ids_;
  int64_t documents_ = 0;
  bool at_start_ = true;
};

// The documents of a file of JSON objects, one a line; blank lines are passed over.
class JsonLines {
 public:
  JsonLines(std::string field, DocumentEncoder& encoder)
      : field_(std::move(field)), encoder_(encoder) {}

  Status Add(std::string_view text) {
    for (size_t end; (end = text.find('\n')) != std::string_view::npos;) {
      line_.append(text.substr(0, end));
      text.remove_prefix(end + 1);
      if (auto status = EndLine(); !status) return status;
    }
    line_.append(text);
    return {};
  }

  Status Finish() { return EndLine(); }

 private:
  Status EndLine() {
    const std::string line = std::exchange(line_, {});
    ++number_;
    if (line.find_first_not_of(" \t\r") == std::string::npos) return {};
    const auto text = TextOfJsonLine(line, field_);
    if (!text) return text.error().In(fmt::format("line {}", number_));
    if (text->empty()) return {};
    auto status = encoder_.Add(*text);
    return status ? encoder_.End() : status;
  }

  std::string field_;
  DocumentEncoder& encoder_;
  std::string line_;
  int64_t number_ = 0;
};

// Calls `add` with all of a file, block by block.
template <class Add>
Result<int64_t> ReadAll(InputFile& file, const TokenizeProgress& progress, const Add& add) {
  int64_t bytes = 0;
  while (true) {
    const auto block = file.Read();
    if (!block) return block.error();
    if (block->empty()) return bytes;
    if (Status status = add(*block); !status) return status.error();
    bytes += static_cast<int64_t>(block->size());
    if (progress) progress(bytes, file.size());
  }
}

Result<int64_t> EncodeAll(InputFile& file, const TokenizeOptions& options,
                          const TokenizeProgress& progress, DocumentEncoder& encoder) {
  const auto feed = [&](auto& documents) -> Result<int64_t> {
    auto bytes =
        ReadAll(file, progress, [&](std::string_view text) { return documents.Add(text); });
    if (!bytes) return bytes;
    const Status status = documents.Finish();
    return status ? bytes : Result<int64_t>(status.error());
  };
  if (!options.text_field.empty()) {
    JsonLines lines(options.text_field, encoder);
    return feed(lines);
  }
  DocumentCutter cutter(
      options.split, [&](std::string_view text) { return encoder.Add(text); },
      [&] { return encoder.End(); });
  return feed(cutter);
}

}  // namespace

Result<TokenizeReport> TokenizeFile(const text::Tokenizer& tokenizer, const std::string& in,
                                    const std::string& out, const TokenizeOptions& options,
                                    const TokenizeProgress& progress) {
  const auto bos = Wanted(options.bos, tokenizer.bos(), "BOS");
  if (!bos) return bos.error();
  const auto eos = Wanted(options.eos, tokenizer.eos(), "EOS");
  if (!eos) return eos.error();
  auto file = InputFile::Open(in);
  if (!file) return file.error();
  auto writer = ShardWriter::Create(
      out, {.tokenizer = options.tokenizer_name, .vocab = tokenizer.vocab_size()});
  if (!writer) return writer.error();
  DocumentEncoder encoder(tokenizer, options.special, *bos, *eos, *std::move(writer));
  const auto bytes = EncodeAll(*file, options, progress, encoder);
  if (!bytes) return bytes.error().In(in);
  if (encoder.documents() == 0) return BadInput("{}: holds no text", in);
  if (auto status = encoder.Finish(); !status) return status.error();
  return TokenizeReport{*bytes, encoder.documents(), encoder.info().tokens,
                        encoder.info().bytes_per_token};
}

}  // namespace millwright::data
