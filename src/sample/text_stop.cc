#include "sample/text_stop.h"

#include <algorithm>
#include <utility>

namespace millwright::sample {

TextStop::TextStop(std::vector<std::string> texts) : texts_(std::move(texts)) {
  std::erase_if(texts_, [](const std::string& text) { return text.empty(); });
}

std::string TextStop::Add(std::string_view bytes) {
  if (found_) return "";
  held_ += bytes;
  size_t first = held_.size();
  for (const std::string& text : texts_) first = std::min(first, held_.find(text));
  found_ = first < held_.size();
  size_t keep = 0;  // bytes at the end that may be the beginning of a text
  for (const std::string& text : texts_) {
    for (size_t n = std::min(text.size() - 1, held_.size()); !found_ && n > keep; --n) {
      if (held_.ends_with(text.substr(0, n))) keep = n;
    }
  }
  std::string out = held_.substr(0, found_ ? first : held_.size() - keep);
  held_.erase(0, found_ ? held_.size() : out.size());
  return out;
}

std::string TextStop::Finish() { return std::exchange(held_, {}); }

}  // namespace millwright::sample
