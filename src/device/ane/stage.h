// The files that the compiler service reads.
#pragma once

#include <string>

#include "base/result.h"
#include "device/ane/path.h"

namespace millwright::device::ane {

// Writes `source` as `folder`/model.mil and its weight files below (fact A3), each appearing whole.
Status StageFiles(const Source& source, const std::string& folder);

// Removes the folder; one that is not there is removed already.
void RemoveStaged(const std::string& folder);

}  // namespace millwright::device::ane
