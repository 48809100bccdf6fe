// Objects of Espresso that are released by themselves.
#pragma once

#include <utility>

#include "base/result.h"
#include "device/ane/private_api.h"

namespace millwright::device::ane {

// An object and the function that releases it.
class E5Ref {
 public:
  using ReleaseFunction = int64_t (*)(E5Handle*);

  explicit E5Ref(ReleaseFunction release) : release_(release) {}
  E5Ref(E5Ref&& other) noexcept
      : release_(other.release_), handle_(std::exchange(other.handle_, nullptr)) {}
  E5Ref& operator=(E5Ref&& other) noexcept {
    std::swap(release_, other.release_);
    std::swap(handle_, other.handle_);
    return *this;
  }
  E5Ref(const E5Ref&) = delete;
  E5Ref& operator=(const E5Ref&) = delete;
  ~E5Ref() {
    if (handle_ != nullptr) release_(&handle_);
  }

  E5Handle get() const { return handle_; }
  E5Handle* out() { return &handle_; }

 private:
  ReleaseFunction release_;
  E5Handle handle_ = nullptr;
};

// The outcome of a call that returns 0 on success.
inline Status E5Outcome(const char* function, int64_t code) {
  if (code == 0) return {};
  return Failed("{} failed with code {} (0x{:x})", function, code, static_cast<uint64_t>(code));
}

}  // namespace millwright::device::ane
