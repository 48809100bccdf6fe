#include "data/documents.h"

#include <algorithm>
#include <utility>

namespace millwright::data {

DocumentCutter::DocumentCutter(std::string separator, Part part, End end)
    : separator_(std::move(separator)), part_(std::move(part)), end_(std::move(end)) {}

Status DocumentCutter::Emit(std::string_view text) {
  if (text.empty()) return {};
  empty_ = false;
  return part_(text);
}

Status DocumentCutter::EndDocument() { return std::exchange(empty_, true) ? Status() : end_(); }

Status DocumentCutter::Add(std::string_view text) {
  if (separator_.empty()) return Emit(text);
  held_.append(text);
  size_t from = 0;
  for (size_t at; (at = held_.find(separator_, from)) != std::string::npos;) {
    auto status = Emit(std::string_view(held_).substr(from, at - from));
    if (status) status = EndDocument();
    if (!status) return status;
    from = at + separator_.size();
  }
  const size_t safe = std::max(from, held_.size() - std::min(held_.size(), separator_.size() - 1));
  auto status = Emit(std::string_view(held_).substr(from, safe - from));
  held_.erase(0, safe);
  return status;
}

Status DocumentCutter::Finish() {
  auto status = Emit(held_);
  held_.clear();
  return status ? EndDocument() : status;
}

}  // namespace millwright::data
