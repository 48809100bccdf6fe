// Bytes in, whole characters out.
#pragma once

#include <string>
#include <string_view>

namespace millwright::sample {

// Tokens may end in the middle of a UTF-8 character. Bytes that begin one are held back until it is
// whole; bytes that cannot be part of one become U+FFFD, one for each maximal broken beginning, so
// that the output is always valid UTF-8. Source: The Unicode Standard, section 3.9, tables 3-7 and
// 3-8.
class Utf8Stream {
 public:
  // What can be written after `bytes` arrived.
  std::string Add(std::string_view bytes);

  // What is left at the end: U+FFFD for a character that was never finished.
  std::string Finish();

 private:
  std::string held_;
};

}  // namespace millwright::sample
