// Where in a program's text its values are defined.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <utility>

namespace millwright::inspect {

// Lines, counted from 1, of the declarations in a text that mil::Parse has accepted.
class SourceLines {
 public:
  SourceLines() = default;
  explicit SourceLines(std::string_view text);

  // Of the value `id` of `function`, or of the function if `id` is empty; 0 if there is none.
  size_t LineOf(std::string_view function, std::string_view id) const;

 private:
  std::map<std::pair<std::string, std::string>, size_t, std::less<>> lines_;
};

}  // namespace millwright::inspect
