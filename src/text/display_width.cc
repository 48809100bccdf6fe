#include "text/display_width.h"

#include <utf8proc.h>

namespace millwright::text {

int DisplayWidth(char32_t point) {
  if (point > 0x10ffff) return -1;
  const auto code = static_cast<utf8proc_int32_t>(point);
  switch (utf8proc_category(code)) {
    case UTF8PROC_CATEGORY_CC:
    case UTF8PROC_CATEGORY_CS:
    case UTF8PROC_CATEGORY_CN:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP:
      return -1;
    case UTF8PROC_CATEGORY_CO:  // private use; utf8proc has no width for it
      return 1;
    default:
      return utf8proc_charwidth(code);
  }
}

}  // namespace millwright::text
