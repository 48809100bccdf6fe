// A program compiled by Espresso.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "device/ane/api.h"
#include "device/ane/e5_ref.h"
#include "device/ane/path.h"

namespace millwright::device::ane {

// Compiles the file `mil_path`; compiled bundles are kept below `cache_folder`. The program must be
// used by the process that compiled it.
Result<std::shared_ptr<LoadedProgram>> CompileE5(std::shared_ptr<const Api> api,
                                                 const mil::Function& function,
                                                 const std::string& mil_path,
                                                 const std::string& cache_folder);

}  // namespace millwright::device::ane
