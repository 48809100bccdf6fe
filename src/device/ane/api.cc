#include "device/ane/api.h"

#include <fmt/ranges.h>

#include "device/ane/shared_libraries.h"

namespace millwright::device::ane {
namespace {

// Where macOS keeps them. The files are stubs of the loader's cache; dlopen knows them.
std::vector<std::string> AppleLibraries(AnePath path) {
  std::vector<std::string> libraries = {
      "/usr/lib/libobjc.A.dylib",
      "/System/Library/Frameworks/CoreFoundation.framework/CoreFoundation",
      "/System/Library/Frameworks/Foundation.framework/Foundation",
      "/System/Library/Frameworks/IOSurface.framework/IOSurface",
      "/usr/lib/libSystem.B.dylib",
      "/System/Library/PrivateFrameworks/AppleNeuralEngine.framework/AppleNeuralEngine"};
  if (path == AnePath::kE5rt) {
    libraries.emplace_back("/System/Library/PrivateFrameworks/Espresso.framework/Espresso");
  }
  return libraries;
}

enum class Need { kInMemory, kOptional };

// Looks names up and keeps the list.
class Resolver {
 public:
  Resolver(const SharedLibraries& libraries, AnePath path, Api* api)
      : libraries_(libraries), path_(path), api_(api) {}

  template <class Pointer>
  void Find(const char* name, bool needed, Pointer* pointer) {
    void* symbol = libraries_.Find(name);
    *pointer = reinterpret_cast<Pointer>(symbol);
    api_->symbols.push_back({name, symbol != nullptr, needed});
  }

  template <class Signature>
  void Find(const char* cls, const char* selector, Need need, ClassMethod<Signature>* method) {
    const Id object = api_->c.objc_getClass(cls);
    const Selector registered = api_->c.sel_registerName(selector);
    const bool present = object != nullptr && Responds(api_->c.object_getClass(object), registered);
    if (present) method->Set(&api_->c, object, registered);
    Note('+', cls, selector, present, need);
  }

  template <class Signature>
  void Find(const char* cls, const char* selector, Need need, ObjectMethod<Signature>* method) {
    const Id object = api_->c.objc_getClass(cls);
    const Selector registered = api_->c.sel_registerName(selector);
    const bool present = object != nullptr && Responds(object, registered);
    if (present) method->Set(&api_->c, registered);
    Note('-', cls, selector, present, need);
  }

 private:
  bool Responds(Id cls, Selector selector) const {
    return selector != nullptr && api_->c.class_getInstanceMethod(cls, selector) != nullptr;
  }
  void Note(char kind, const char* cls, const char* selector, bool present, Need need) {
    const bool needed = need == Need::kInMemory && path_ == AnePath::kInMemory;
    api_->symbols.push_back({fmt::format("{}[{} {}]", kind, cls, selector), present, needed});
  }

  const SharedLibraries& libraries_;
  AnePath path_;
  Api* api_;
};

void FindFunctions(Resolver& resolver, AnePath path, Api* api) {
#define C_FUNCTION(name, Return, Parameters) resolver.Find(#name, true, &api->c.name);
#define C_CONSTANT(name, Type) resolver.Find(#name, true, &api->c.name);
#include "device/ane/c_functions.def"
  if (path != AnePath::kE5rt) return;
#define E5_FUNCTION(name, Return, Parameters) resolver.Find(#name, true, &api->e5.name);
#include "device/ane/e5_functions.def"
}

void FindMethods(Resolver& resolver, Api* api) {
  using enum Need;
#define CLASS_METHOD(member, Class, selector, Signature, need) \
  resolver.Find(#Class, selector, need, &api->methods.member);
#define OBJECT_METHOD(member, Class, selector, Signature, need) \
  resolver.Find(#Class, selector, need, &api->methods.member);
#include "device/ane/methods.def"
}

}  // namespace

Result<std::shared_ptr<const Api>> Api::Load(const AneOptions& options) {
  const bool apple = options.libraries.empty();
  auto libraries = SharedLibraries::Open(apple ? AppleLibraries(options.path) : options.libraries);
  if (!libraries) {
    return BadInput(
        "device ane: {}; it needs macOS on Apple silicon, or --ane-library with the emulator",
        libraries.error().message);
  }
  auto api = std::make_shared<Api>();
  Resolver resolver(*libraries, options.path, api.get());
  FindFunctions(resolver, options.path, api.get());
  if (Status status = api->RequireAll(); !status) return status.error();
  FindMethods(resolver, api.get());
  return std::shared_ptr<const Api>(std::move(api));
}

Status Api::RequireAll() const {
  std::vector<std::string> missing;
  for (const Symbol& symbol : symbols) {
    if (symbol.needed && !symbol.present) missing.push_back(symbol.name);
  }
  if (missing.empty()) return {};
  return BadInput("device ane: this system lacks {}", fmt::join(missing, ", "));
}

}  // namespace millwright::device::ane
