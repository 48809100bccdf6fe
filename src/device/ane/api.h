// Apple's functions and methods, found at run time.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "device/ane/message.h"
#include "device/ane/private_api.h"
#include "device/device.h"

namespace millwright::device::ane {

// Where a name was looked for and whether it is there.
struct Symbol {
  std::string name;  // "CFDataCreate" or "-[_ANEInMemoryModel compileWithQoS:options:error:]"
  bool present = false;
  bool needed = false;  // the path in use cannot do without it
};

struct Api {
  // Loads `options.libraries`, or Apple's frameworks, and looks every name up. Bad input: a library
  // cannot be loaded, or a C function of the runtime is missing. Missing methods are no error yet.
  static Result<std::shared_ptr<const Api>> Load(const AneOptions& options);

  // An error that names everything which the path in use needs and which is missing.
  Status RequireAll() const;

  CFunctions c;
  E5Functions e5;
  Methods methods;
  std::vector<Symbol> symbols;
};

}  // namespace millwright::device::ane
