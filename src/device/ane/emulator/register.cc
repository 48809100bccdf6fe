#include "device/ane/emulator/classes.h"
#include "device/ane/emulator/entry.h"
#include "device/ane/emulator/methods.h"

namespace millwright::device::ane::emulator {
namespace {

void Register(Entry entry, Class* cls, const char* selector, Implementation implementation) {
  cls->Add(RegisterSelector(selector), IsRemoved(entry) ? nullptr : implementation);
}

}  // namespace

void RegisterClasses() {
#define CLASS_METHOD(member, Cls, selector, Signature, Need) \
  Register(Entry::member, GetClass(#Cls)->meta(), selector,  \
           reinterpret_cast<Implementation>(&methods::member));
#define OBJECT_METHOD(member, Cls, selector, Signature, Need) \
  Register(Entry::member, GetClass(#Cls), selector,           \
           reinterpret_cast<Implementation>(&methods::member));
#include "device/ane/methods.def"
}

}  // namespace millwright::device::ane::emulator
