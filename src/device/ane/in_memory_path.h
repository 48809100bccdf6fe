// Path A: _ANEInMemoryModel.
#pragma once

#include <memory>

#include "device/ane/api.h"
#include "device/ane/path.h"
#include "device/ane/target.h"

namespace millwright::device::ane {

// Programs that are equal to the byte share one loaded model, since they share the identifier, the
// staged files and the compiled program (fact C10). A program that the system has compiled before
// is loaded without compiling. At most `compile_budget` compilations of this process.
std::shared_ptr<Path> MakeInMemoryPath(std::shared_ptr<const Api> api, const Target& target,
                                       int compile_budget);

}  // namespace millwright::device::ane
