// What characters the terminal's user expects.
#pragma once

namespace millwright::app::dashboard {

// Takes over the environment's character set (LC_ALL, LC_CTYPE, LANG), and nothing else of its
// locale; whether it is UTF-8.
bool AdoptCharset();

}  // namespace millwright::app::dashboard
