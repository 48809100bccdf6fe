// The tokenizer readers refuse any bytes or read them; what they read encodes and decodes.
#include <string_view>

#include "text/byte_bpe.h"
#include "text/llama2c_tokenizer.h"
#include "text/sentencepiece_tokenizer.h"

namespace {

using millwright::text::Tokenizer;

// Ids are in the vocabulary, and the same when the text comes in two parts.
void RoundTrip(const Tokenizer& tokenizer, std::string_view text) {
  const auto ids = millwright::text::EncodeText(tokenizer, text);
  if (!ids) return;
  for (const auto id : *ids) {
    if (id < 0 || id >= tokenizer.vocab_size()) std::abort();
  }
  (void)tokenizer.Decode(*ids);
  const auto encoder = tokenizer.NewEncoder();
  std::vector<millwright::text::TokenId> in_parts;
  const size_t half = text.size() / 2;
  // A hostile pattern may give up on a part and not on the whole.
  if (!encoder->Add(text.substr(0, half), in_parts)) return;
  if (!encoder->Add(text.substr(half), in_parts) || !encoder->Finish(in_parts)) return;
  if (in_parts != *ids) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto bpe = millwright::text::ByteBpe::FromJson(text, "fuzz"); bpe) {
    RoundTrip(*bpe, text);
    const auto plain = EncodeText(*bpe, text, millwright::text::SpecialText::kPlain);
    if (plain && !bpe->model().nfc && bpe->Decode(*plain) != text) std::abort();
  }
  if (const auto llama = millwright::text::Llama2cTokenizer::Parse(text, "fuzz"); llama) {
    RoundTrip(*llama, text);
    if (llama->Encode(text) != *EncodeText(*llama, text)) std::abort();
    if (llama->Serialize() != text) std::abort();
  }
  if (const auto piece = millwright::text::SentencePieceTokenizer::Parse(text, "fuzz"); piece) {
    RoundTrip(*piece, text);
    if (piece->Encode(text) != piece->EncodeInOneCall(text)) std::abort();
  }
  return 0;
}
