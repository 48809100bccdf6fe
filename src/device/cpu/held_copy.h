// A call's own copy of an input or a constant in another form: made when it is first needed, and
// anew when the contents have changed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/page_blocks.h"
#include "device/surface.h"

namespace millwright::device::cpu {

class HeldCopy {
 public:
  // `source` is the input's surface, or null for a constant.
  HeldCopy(const Surface* source, size_t bytes, PageBlocks& blocks)
      : source_(source), memory_(blocks.Take(bytes)) {}

  // The copy; fill(memory) writes it if it is stale.
  template <class Fill>
  std::byte* Get(const Fill& fill) {
    if (IsStale()) {
      fill(memory_.get());
      MarkFilled();
    }
    return memory_.get();
  }

  // The same in parts, for who writes the copy while he uses it. What a surface that is not held
  // contains is unknown, so that its copy is always stale.
  bool IsStale() const {
    if (!filled_) return true;
    return source_ != nullptr && (!source_->held() || source_->version() != version_);
  }
  std::byte* memory() { return memory_.get(); }
  void MarkFilled() {
    filled_ = true;
    if (source_ != nullptr) version_ = source_->version();
  }

 private:
  const Surface* source_;
  std::shared_ptr<std::byte> memory_;
  bool filled_ = false;
  uint64_t version_ = 0;
};

}  // namespace millwright::device::cpu
