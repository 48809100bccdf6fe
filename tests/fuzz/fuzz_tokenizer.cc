// Both tokenizer readers refuse any bytes or read them; what they read encodes and decodes.
#include <string_view>

#include "text/byte_bpe.h"
#include "text/llama2c_tokenizer.h"

namespace {

void RoundTrip(const millwright::text::Tokenizer& tokenizer, std::string_view text) {
  for (const auto id : tokenizer.Encode(text)) {
    if (id < 0 || id >= tokenizer.vocab_size()) std::abort();
  }
  const auto plain = tokenizer.EncodePlain(text);
  (void)tokenizer.Decode(plain);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto bpe = millwright::text::ByteBpe::FromJson(text, "fuzz"); bpe) {
    RoundTrip(*bpe, text);
    if (bpe->Decode(bpe->EncodePlain(text)) != text) std::abort();
  }
  if (const auto llama = millwright::text::Llama2cTokenizer::Parse(text, "fuzz"); llama) {
    RoundTrip(*llama, text);
    if (llama->Serialize() != text) std::abort();
  }
  return 0;
}
