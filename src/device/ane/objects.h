// CoreFoundation and Objective-C objects that are released by themselves.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "device/ane/api.h"

namespace millwright::device::ane {

// One reference to an object.
class Ref {
 public:
  Ref() = default;
  // Takes over a reference, as CF...Create returns it.
  static Ref Adopt(const CFunctions& c, Id object) { return {c, object}; }
  // Adds a reference, to keep what a pool would release.
  static Ref Retain(const CFunctions& c, Id object) {
    return {c, object == nullptr ? nullptr : c.objc_retain(object)};
  }

  Ref(Ref&& other) noexcept : c_(other.c_), object_(std::exchange(other.object_, nullptr)) {}
  Ref& operator=(Ref&& other) noexcept {
    std::swap(c_, other.c_);
    std::swap(object_, other.object_);
    return *this;
  }
  Ref(const Ref&) = delete;
  Ref& operator=(const Ref&) = delete;
  ~Ref() {
    if (object_ != nullptr) c_->objc_release(object_);
  }

  Id get() const { return object_; }
  explicit operator bool() const { return object_ != nullptr; }

 private:
  Ref(const CFunctions& c, Id object) : c_(&c), object_(object) {}
  const CFunctions* c_ = nullptr;
  Id object_ = nullptr;
};

// Releases what the calls in its scope autorelease.
class AutoreleasePool {
 public:
  explicit AutoreleasePool(const CFunctions& c) : c_(c), pool_(c.objc_autoreleasePoolPush()) {}
  AutoreleasePool(const AutoreleasePool&) = delete;
  AutoreleasePool& operator=(const AutoreleasePool&) = delete;
  ~AutoreleasePool() { c_.objc_autoreleasePoolPop(pool_); }

 private:
  const CFunctions& c_;
  void* pool_;
};

// New objects. Each fails where the system has no memory left.
Result<Ref> MakeData(const CFunctions& c, std::span<const std::byte> bytes);
Result<Ref> MakeString(const CFunctions& c, const std::string& text);
Result<Ref> MakeNumber(const CFunctions& c, int64_t value);
Result<Ref> MakeArray(const CFunctions& c, std::span<const Ref> elements);
Result<Ref> MakeDictionary(const CFunctions& c, std::span<const std::pair<Ref, Ref>> entries);

// The text of a string object. Fails where it is null or not text.
Result<std::string> TextOf(const CFunctions& c, Id string);

}  // namespace millwright::device::ane
