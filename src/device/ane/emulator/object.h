// The object model: objects with a class and a count, classes with methods, autorelease pools.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "device/ane/private_api.h"

namespace millwright::device::ane::emulator {

class Class;

class Object {
 public:
  // Counted once. Immortal objects, as constants and classes are, are neither counted nor freed.
  explicit Object(const Class* cls, bool immortal = false);
  Object(const Object&) = delete;
  Object& operator=(const Object&) = delete;
  virtual ~Object();

  const Class* cls() const { return class_; }
  Id id() { return reinterpret_cast<Id>(this); }

 private:
  friend void Retain(Object* object);
  friend void Release(Object* object);
  const Class* class_;
  bool immortal_;
  std::atomic<int64_t> references_ = 1;
};

class Class final : public Object {
 public:
  // A class and, as its own class, the metaclass that has the class's methods.
  explicit Class(std::string name);

  const std::string& name() const { return name_; }
  Class* meta() const { return meta_.get(); }
  void Add(Selector selector, Implementation implementation) {
    methods_[selector] = implementation;
  }
  // Null where there is none.
  Implementation Find(Selector selector) const;

 private:
  struct Meta {};
  Class(std::string name, Meta);

  std::string name_;
  std::unique_ptr<Class> meta_;
  std::map<Selector, Implementation> methods_;
};

// The class of that name, made when first asked for.
Class* GetClass(std::string_view name);
// Null where there is none.
Class* FindClass(std::string_view name);

Selector RegisterSelector(std::string_view name);

// The object behind an Id, if it lives and is a T; else null, and a use of a freed object counts as
// misuse.
Object* Live(Id id);
template <class T>
T* As(Id id) {
  return dynamic_cast<T*>(Live(id));
}

void Retain(Object* object);
void Release(Object* object);
// Released when the innermost pool of the thread ends; without one it leaks, as on macOS.
Id Autorelease(Object* object);
void* PushPool();
void PopPool(void* pool);

struct ObjectCounts {
  int64_t live = 0, misuses = 0, unpooled = 0;
};
ObjectCounts CountObjects();
void ForgetMisuses();

// One reference, for what the emulator itself holds.
template <class T>
class Held {
 public:
  Held() = default;
  explicit Held(T* object) : object_(object) {
    if (object_ != nullptr) Retain(object_);
  }
  Held(const Held& other) : Held(other.object_) {}
  Held(Held&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
  Held& operator=(Held other) noexcept {
    std::swap(object_, other.object_);
    return *this;
  }
  ~Held() {
    if (object_ != nullptr) Release(object_);
  }
  T* get() const { return object_; }
  T* operator->() const { return object_; }
  explicit operator bool() const { return object_ != nullptr; }

 private:
  T* object_ = nullptr;
};

}  // namespace millwright::device::ane::emulator
