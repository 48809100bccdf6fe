#include "capi/last_error.h"

#include <string>

namespace millwright::capi {
namespace {

std::string& Text() {
  thread_local std::string text;
  return text;
}

}  // namespace

void ClearError() { Text().clear(); }

int Fail(const Error& error) {
  Text() = error.message;
  return -1;
}

const char* LastError() { return Text().c_str(); }

}  // namespace millwright::capi
