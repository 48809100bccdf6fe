// The Objective-C runtime's C functions.
#include "device/ane/emulator/classes.h"
#include "device/ane/emulator/entry.h"
#include "device/ane/emulator/exports.h"
#include "device/ane/emulator/object.h"

namespace millwright::device::ane::emulator {
namespace {

// Where the real runtime throws an exception about an unknown selector.
void Unrecognized() {}

}  // namespace

Id objc_getClass(const char* name) {
  if (Enter(Entry::objc_getClass) != Fault::kNone) return nullptr;
  RegisterClasses();
  Class* found = FindClass(name);
  return found == nullptr ? nullptr : found->id();
}

Selector sel_registerName(const char* name) {
  if (Enter(Entry::sel_registerName) != Fault::kNone) return nullptr;
  return RegisterSelector(name);
}

Id object_getClass(Id object) {
  Enter(Entry::object_getClass);
  Object* live = Live(object);
  if (auto* cls = dynamic_cast<Class*>(live))
    return cls->meta() == nullptr ? nullptr : cls->meta()->id();
  return live == nullptr ? nullptr : const_cast<Class*>(live->cls())->id();
}

Method class_getInstanceMethod(Id cls, Selector selector) {
  if (Enter(Entry::class_getInstanceMethod) != Fault::kNone) return nullptr;
  const auto* found = As<Class>(cls);
  if (found == nullptr) return nullptr;
  return reinterpret_cast<Method>(found->Find(selector));
}

Implementation class_getMethodImplementation(Id cls, Selector selector) {
  Enter(Entry::class_getMethodImplementation);
  const auto* found = As<Class>(cls);
  const Implementation implementation = found == nullptr ? nullptr : found->Find(selector);
  return implementation == nullptr ? &Unrecognized : implementation;
}

Id objc_retain(Id object) {
  Enter(Entry::objc_retain);
  if (Object* live = Live(object)) Retain(live);
  return object;
}

void objc_release(Id object) {
  Enter(Entry::objc_release);
  if (Object* live = Live(object)) Release(live);
}

void* objc_autoreleasePoolPush() {
  Enter(Entry::objc_autoreleasePoolPush);
  return PushPool();
}

void objc_autoreleasePoolPop(void* pool) {
  Enter(Entry::objc_autoreleasePoolPop);
  PopPool(pool);
}

}  // namespace millwright::device::ane::emulator
