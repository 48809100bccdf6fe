// Encodes a text as the words that joints.h cuts it into, each of them once.
#pragma once

#include <functional>
#include <string>

#include "text/joints.h"
#include "text/tokenizer.h"
#include "text/word_cache.h"

namespace millwright::text {

class WordwiseEncoder : public Encoder {
 public:
  // Appends the ids of one word. `first`: it is the text's first, and begins with the dummy prefix.
  using EncodeWord =
      std::function<Status(std::string_view word, bool first, std::vector<TokenId>& ids)>;

  // `joints` must outlive the encoder. `dummy_prefix`: every text begins with one space more than
  // it says, unless it is empty.
  WordwiseEncoder(const Joints& joints, bool dummy_prefix, EncodeWord encode_word);

  Status Add(std::string_view part, std::vector<TokenId>& ids) override;
  Status Finish(std::vector<TokenId>& ids) override;

 private:
  Status Encode(std::string_view word, std::vector<TokenId>& ids);

  const Joints& joints_;
  bool dummy_prefix_;
  EncodeWord encode_word_;
  WordCache cache_;
  std::string pending_;  // a text's last word, which may go on
  size_t worth_a_look_ = 0;
  bool first_ = true;
};

}  // namespace millwright::text
