// Memory that a device reads and writes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/result.h"
#include "mil/type.h"

namespace millwright::device {

enum class Access { kRead, kWrite, kReadWrite };

// `type` is the port's type in the program; `storage` the dtype in which the device keeps it (a CPU
// in precision fp32 keeps fp16 ports as fp32, `exact` keeps all floats as fp64).
struct SurfaceDesc {
  mil::Type type;
  DType storage = DType::kFp16;

  size_t bytes() const { return static_cast<size_t>(type.elements()) * DTypeSize(storage); }
};

// A dense row-major tensor. Map before touching its bytes and drop the mapping before a call runs:
// a real device locks the surface meanwhile.
class Surface {
 public:
  virtual ~Surface() = default;
  const SurfaceDesc& desc() const { return desc_; }

  // A locked view of the bytes; unlocks when destroyed.
  class Mapping {
   public:
    Mapping(Surface* surface, std::span<std::byte> bytes, Access access)
        : surface_(surface), bytes_(bytes), access_(access) {}
    Mapping(Mapping&& other) noexcept;
    Mapping(const Mapping&) = delete;
    Mapping& operator=(const Mapping&) = delete;
    Mapping& operator=(Mapping&&) = delete;
    ~Mapping();
    std::span<std::byte> bytes() const { return bytes_; }
    template <class T>
    std::span<T> as() const {
      return {reinterpret_cast<T*>(bytes_.data()), bytes_.size() / sizeof(T)};
    }

   private:
    Surface* surface_;
    std::span<std::byte> bytes_;
    Access access_;
  };
  Result<Mapping> Map(Access access);

  // A held surface keeps its contents from call to call, so that a device may keep copies of them
  // in another layout. Weights are held. Who writes to memory that such a surface wraps must call
  // Changed() before the next call runs; writing through a mapping counts by itself.
  void Hold() { held_ = true; }
  bool held() const { return held_; }
  void Changed() { ++version_; }
  // Grows with every change: copies made at an older version are stale.
  uint64_t version() const { return version_; }

 protected:
  explicit Surface(SurfaceDesc desc) : desc_(std::move(desc)) {}

 private:
  virtual Result<std::span<std::byte>> Lock(Access access) = 0;
  virtual void Unlock(Access access) = 0;
  SurfaceDesc desc_;
  bool held_ = false;
  uint64_t version_ = 0;
};

}  // namespace millwright::device
