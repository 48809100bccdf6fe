#include "text/tokenizer.h"

namespace millwright::text {
namespace {

class WholeTextEncoder : public Encoder {
 public:
  WholeTextEncoder(const Tokenizer& tokenizer, SpecialText special)
      : tokenizer_(tokenizer), special_(special) {}

  Status Add(std::string_view part, std::vector<TokenId>&) override {
    text_.append(part);
    return {};
  }

  Status Finish(std::vector<TokenId>& ids) override {
    const auto text_ids =
        special_ == SpecialText::kPlain ? tokenizer_.EncodePlain(text_) : tokenizer_.Encode(text_);
    ids.insert(ids.end(), text_ids.begin(), text_ids.end());
    text_.clear();
    return {};
  }

 private:
  const Tokenizer& tokenizer_;
  SpecialText special_;
  std::string text_;
};

}  // namespace

std::unique_ptr<Encoder> Tokenizer::NewEncoder(SpecialText special) const {
  return std::make_unique<WholeTextEncoder>(*this, special);
}

bool SameVocabulary(const Tokenizer& a, const Tokenizer& b) {
  if (a.vocab_size() != b.vocab_size()) return false;
  for (TokenId id = 0; id < a.vocab_size(); ++id) {
    if (a.Piece(id) != b.Piece(id)) return false;
  }
  return true;
}

Result<std::vector<TokenId>> EncodeText(const Tokenizer& tokenizer, std::string_view text,
                                        SpecialText special) {
  std::vector<TokenId> ids;
  const auto encoder = tokenizer.NewEncoder(special);
  auto status = encoder->Add(text, ids);
  if (status) status = encoder->Finish(ids);
  if (!status) return status.error();
  return ids;
}

}  // namespace millwright::text
