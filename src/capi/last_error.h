// The text of the last failure, a thread's own.
#pragma once

#include <string_view>

#include "base/result.h"

namespace millwright::capi {

void ClearError();
// Keeps the message; -1.
int Fail(const Error& error);
const char* LastError();

}  // namespace millwright::capi
