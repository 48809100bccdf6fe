#include "device/ane/shared_libraries.h"

#include <dlfcn.h>

namespace millwright::device::ane {

Result<SharedLibraries> SharedLibraries::Open(const std::vector<std::string>& paths) {
  SharedLibraries libraries;
  for (const std::string& path : paths) {
    void* handle = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (handle == nullptr) {
      const char* reason = ::dlerror();
      return BadInput("{}", reason == nullptr ? path + " cannot be loaded" : reason);
    }
    libraries.paths_.push_back(path);
    libraries.handles_.push_back(handle);
  }
  return libraries;
}

void* SharedLibraries::Find(const std::string& name) const {
  for (void* handle : handles_) {
    if (void* symbol = ::dlsym(handle, name.c_str())) return symbol;
  }
  return nullptr;
}

}  // namespace millwright::device::ane
