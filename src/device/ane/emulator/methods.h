// The methods of methods.def as functions, and their registration.
#pragma once

#include "device/ane/emulator/object.h"
#include "device/ane/private_api.h"

namespace millwright::device::ane::emulator {

// R(Args...) as the function behind a method.
template <class Signature>
struct MethodFunction;
template <class R, class... Args>
struct MethodFunction<R(Args...)> {
  using Type = R(Id self, Selector selector, Args...);
};

namespace methods {
#define CLASS_METHOD(member, Class, selector, Signature, Need) \
  MethodFunction<Signature>::Type member;
#define OBJECT_METHOD(member, Class, selector, Signature, Need) \
  MethodFunction<Signature>::Type member;
#include "device/ane/methods.def"
}  // namespace methods

}  // namespace millwright::device::ane::emulator
