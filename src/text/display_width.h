// How much room a character takes on a terminal.
#pragma once

namespace millwright::text {

// 0 for what is drawn onto the character before it (combining marks, joiners), 2 for East Asian
// wide characters and emoji, else 1. -1 for what is no character to draw: controls, surrogates,
// unassigned. By utf8proc's tables, whatever the locale.
int DisplayWidth(char32_t point);

}  // namespace millwright::text
