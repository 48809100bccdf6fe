// Libraries opened at run time, and their symbols.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"

namespace millwright::device::ane {

// Several shared libraries, searched in order. They stay loaded: Objective-C classes cannot be
// unloaded.
class SharedLibraries {
 public:
  // Bad input: a library cannot be loaded; the error names it and the loader's reason.
  static Result<SharedLibraries> Open(const std::vector<std::string>& paths);

  // The address of `name`, or null.
  void* Find(const std::string& name) const;

  const std::vector<std::string>& paths() const { return paths_; }

 private:
  std::vector<std::string> paths_;
  std::vector<void*> handles_;
};

}  // namespace millwright::device::ane
