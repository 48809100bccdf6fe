// The functions and constants that the emulator exports, as the device declares them.
#pragma once

#include "device/ane/private_api.h"

namespace millwright::device::ane::emulator {

extern "C" {
#define C_FUNCTION(name, Return, Parameters) [[gnu::visibility("default")]] Return name Parameters;
#define C_CONSTANT(name, Type) [[gnu::visibility("default")]] extern const Type name;
#include "device/ane/c_functions.def"
#define E5_FUNCTION(name, Return, Parameters) [[gnu::visibility("default")]] Return name Parameters;
#include "device/ane/e5_functions.def"
}

}  // namespace millwright::device::ane::emulator
