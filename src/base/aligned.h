// Buffers that devices may wrap: aligned to a cache line, zeroed, of fixed size.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <span>
#include <utility>

namespace millwright {

inline constexpr size_t kAlignment = 64;
// Where the kernel backs memory with 2 MiB pages on request, large buffers start on such a page.
inline constexpr size_t kHugePage = size_t{2} << 20;

// An owned array of `size` zeros of T. Moves, does not copy; an empty buffer has no memory.
template <class T>
class AlignedBuffer {
 public:
  AlignedBuffer() = default;
  explicit AlignedBuffer(size_t size) : size_(size) {
    if (size == 0) return;
    const size_t align = size * sizeof(T) >= kHugePage ? kHugePage : kAlignment;
    const size_t bytes = (size * sizeof(T) + align - 1) / align * align;
    data_.reset(static_cast<T*>(std::aligned_alloc(align, bytes)));
    if (data_ == nullptr) throw std::bad_alloc();
    AdviseHugePages(data_.get(), bytes);
    std::memset(static_cast<void*>(data_.get()), 0, bytes);
  }

  T* data() { return data_.get(); }
  const T* data() const { return data_.get(); }
  size_t size() const { return size_; }
  T& operator[](size_t i) { return data_.get()[i]; }
  const T& operator[](size_t i) const { return data_.get()[i]; }
  std::span<T> span() { return {data_.get(), size_}; }
  std::span<const T> span() const { return {data_.get(), size_}; }

 private:
  struct Free {
    void operator()(T* pointer) const { std::free(pointer); }
  };
  static void AdviseHugePages(void* pointer, size_t bytes);

  std::unique_ptr<T, Free> data_;
  size_t size_ = 0;
};

// Asks the system to back [pointer, pointer + bytes) with large pages; a no-op where it cannot.
void AdviseHugePagesFor(void* pointer, size_t bytes);

template <class T>
void AlignedBuffer<T>::AdviseHugePages(void* pointer, size_t bytes) {
  if (bytes >= kHugePage) AdviseHugePagesFor(pointer, bytes);
}

}  // namespace millwright
