// Calls of Objective-C methods through typed function pointers.
#pragma once

#include "device/ane/private_api.h"

namespace millwright::device::ane {

// A method of an object. The implementation is looked up in the receiver's own class, as the
// runtime does it: Foundation hands out hidden subclasses.
template <class Signature>
class ObjectMethod;

template <class R, class... Args>
class ObjectMethod<R(Args...)> {
 public:
  void Set(const CFunctions* c, Selector selector) { c_ = c, selector_ = selector; }
  // False where the class lacks the method.
  explicit operator bool() const { return c_ != nullptr; }

  R operator()(Id receiver, Args... args) const {
    const Implementation implementation =
        c_->class_getMethodImplementation(c_->object_getClass(receiver), selector_);
    return reinterpret_cast<R (*)(Id, Selector, Args...)>(implementation)(receiver, selector_,
                                                                          args...);
  }

 private:
  const CFunctions* c_ = nullptr;
  Selector selector_ = nullptr;
};

// A method of a class.
template <class Signature>
class ClassMethod;

template <class R, class... Args>
class ClassMethod<R(Args...)> {
 public:
  void Set(const CFunctions* c, Id cls, Selector selector) {
    method_.Set(c, selector);
    class_ = cls;
  }
  explicit operator bool() const { return static_cast<bool>(method_); }
  R operator()(Args... args) const { return method_(class_, args...); }

 private:
  ObjectMethod<R(Args...)> method_;
  Id class_ = nullptr;
};

// All methods of methods.def.
struct Methods {
#define CLASS_METHOD(member, Class, selector, Signature, Need) ClassMethod<Signature> member;
#define OBJECT_METHOD(member, Class, selector, Signature, Need) ObjectMethod<Signature> member;
#include "device/ane/methods.def"
};

}  // namespace millwright::device::ane
