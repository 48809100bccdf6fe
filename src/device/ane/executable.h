// A loaded program and its calls.
#pragma once

#include <memory>

#include "device/ane/path.h"
#include "device/device.h"

namespace millwright::device::ane {

// `function` is that of the program, its surfaces are AneSurfaces of `path`.
std::unique_ptr<Executable> MakeExecutable(std::shared_ptr<Path> path,
                                           std::shared_ptr<LoadedProgram> program,
                                           mil::Function function);

}  // namespace millwright::device::ane
