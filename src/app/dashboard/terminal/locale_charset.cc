#include "app/dashboard/terminal/locale_charset.h"

#include <langinfo.h>

#include <clocale>
#include <cstring>

namespace millwright::app::dashboard {

bool AdoptCharset() {
  std::setlocale(LC_CTYPE, "");
  return std::strcmp(::nl_langinfo(CODESET), "UTF-8") == 0;
}

}  // namespace millwright::app::dashboard
