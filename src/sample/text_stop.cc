#include "sample/text_stop.h"

#include <algorithm>

namespace millwright::sample {

TextStop::TextStop(std::vector<std::string> texts) : texts_(std::move(texts)) {
  std::erase_if(texts_, [](const std::string& text) { return text.empty(); });
}

std::string TextStop::Add(std::string_view bytes) {
  if (found_) return "";
  held_ += bytes;
  return Release(true);
}

std::string TextStop::Finish() { return Release(false); }

// Everything before the first place where a text begins or, if more may come, may begin.
std::string TextStop::Release(bool more) {
  size_t end = 0;
  const auto begins_here = [&](const std::string& text) {
    const std::string_view rest = std::string_view(held_).substr(end);
    found_ = found_ || rest.starts_with(text);
    return found_ || (more && text.starts_with(rest));
  };
  while (end < held_.size() && std::none_of(texts_.begin(), texts_.end(), begins_here)) ++end;
  std::string out = held_.substr(0, end);
  held_.erase(0, found_ ? held_.size() : end);
  return out;
}

}  // namespace millwright::sample
