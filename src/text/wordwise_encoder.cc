#include "text/wordwise_encoder.h"

#include <utility>

namespace millwright::text {

WordwiseEncoder::WordwiseEncoder(const Joints& joints, bool dummy_prefix, EncodeWord encode_word)
    : joints_(joints), dummy_prefix_(dummy_prefix), encode_word_(std::move(encode_word)) {}

Status WordwiseEncoder::Add(std::string_view part, std::vector<TokenId>& ids) {
  if (part.empty()) return {};
  if (first_ && pending_.empty() && dummy_prefix_) pending_.push_back(' ');
  pending_.append(part);
  // A word that fills the whole text so far is searched again only when it has doubled.
  if (pending_.size() < worth_a_look_) return {};
  size_t from = 0;
  for (size_t cut; (cut = joints_.NextCut(pending_, from)) != Joints::kNone; from = cut) {
    auto status = Encode(std::string_view(pending_).substr(from, cut - from), ids);
    if (!status) return status;
  }
  pending_.erase(0, from);
  worth_a_look_ = 2 * pending_.size();
  return {};
}

Status WordwiseEncoder::Finish(std::vector<TokenId>& ids) {
  std::string_view rest = pending_;
  while (!rest.empty()) {
    const size_t cut = joints_.NextCut(rest, 0);
    auto status = Encode(rest.substr(0, cut), ids);
    if (!status) return status;
    rest.remove_prefix(std::min(cut, rest.size()));
  }
  pending_.clear();
  worth_a_look_ = 0;
  first_ = true;
  return {};
}

Status WordwiseEncoder::Encode(std::string_view word, std::vector<TokenId>& ids) {
  if (std::exchange(first_, false)) return encode_word_(word, true, ids);
  if (cache_.Append(word, ids)) return {};
  const size_t begin = ids.size();
  auto status = encode_word_(word, false, ids);
  if (status) cache_.Insert(word, ids.data() + begin, ids.size() - begin);
  return status;
}

}  // namespace millwright::text
