// Path E: the e5rt_* functions of Espresso.framework.
#pragma once

#include <memory>

#include "device/ane/api.h"
#include "device/ane/path.h"

namespace millwright::device::ane {

// Programs are compiled from files below the system's temporary folder and run by a stream;
// ports are bound by name, memory is that of buffer objects, which stay with the engine. Only the
// Neural Engine is allowed, so that nothing falls back silently to another processor. At most
// `compile_budget` compilations of this process.
Result<std::shared_ptr<Path>> MakeE5Path(std::shared_ptr<const Api> api, int compile_budget);

}  // namespace millwright::device::ane
