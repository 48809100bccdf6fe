// Text in pages.
#pragma once

#include <string>
#include <string_view>

namespace millwright::app::report {

// `text` as the content of an element or a quoted attribute: the five characters with a meaning are
// written as references, control characters that HTML does not allow and bytes that are no UTF-8
// as the replacement character.
std::string Escape(std::string_view text);

// A whole page without anything from outside itself: `body` is HTML, `title` is text. Dark or light
// as the reader's system is, in one column on a narrow screen.
std::string Page(std::string_view title, std::string_view body);

}  // namespace millwright::app::report
