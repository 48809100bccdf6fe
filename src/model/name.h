// A short label that is a plain value, so that a ModelConfig can be copied and kept without an
// owner.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <string_view>

namespace millwright::model {

// Up to 63 bytes of text; longer text is cut.
class Name {
 public:
  constexpr Name() = default;

  template <class Text>
    requires(std::convertible_to<const Text&, std::string_view> && !std::same_as<Text, Name>)
  constexpr Name(const Text& text) {  // NOLINT: implicit
    const std::string_view from = text;
    size_ = std::min(from.size(), text_.size());
    for (size_t i = 0; i < size_; ++i) text_[i] = from[i];
  }

  constexpr operator std::string_view() const { return {text_.data(), size_}; }  // NOLINT: implicit
  constexpr std::string_view view() const { return *this; }
  constexpr bool empty() const { return size_ == 0; }

  friend constexpr bool operator==(const Name& a, const Name& b) { return a.view() == b.view(); }
  friend constexpr bool operator==(const Name& a, std::string_view b) { return a.view() == b; }
  friend constexpr bool operator==(const Name& a, const char* b) { return a.view() == b; }

 private:
  std::array<char, 63> text_ = {};
  size_t size_ = 0;
};

}  // namespace millwright::model

template <>
struct fmt::formatter<millwright::model::Name> : fmt::formatter<std::string_view> {
  template <class Context>
  auto format(const millwright::model::Name& name, Context& context) const {
    return fmt::formatter<std::string_view>::format(name.view(), context);
  }
};
