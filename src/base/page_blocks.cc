#include "base/page_blocks.h"

#include <cstdlib>
#include <cstring>
#include <new>

#include "base/aligned.h"
#include "base/round_up.h"

namespace millwright {
namespace {

constexpr size_t kBlockBytes = size_t{16} << 20;
constexpr size_t kLeastOwnBlock = kBlockBytes / 4;  // from here on a part is a block of its own

std::shared_ptr<std::byte> NewBlock(size_t bytes) {
  bytes = RoundUp(bytes, kHugePage);
  auto* memory = static_cast<std::byte*>(std::aligned_alloc(kHugePage, bytes));
  if (memory == nullptr) throw std::bad_alloc();
  AdviseHugePagesFor(memory, bytes);
  return {memory, [](std::byte* pointer) { std::free(pointer); }};
}

}  // namespace

std::shared_ptr<std::byte> PageBlocks::Take(size_t bytes) {
  if (bytes == 0) return nullptr;
  std::shared_ptr<std::byte> part;
  if (bytes >= kLeastOwnBlock) {
    part = NewBlock(bytes);
  } else {
    if (block_ == nullptr || used_ + bytes > kBlockBytes) {
      block_ = NewBlock(kBlockBytes);
      used_ = 0;
    }
    part = {block_, block_.get() + used_};
    used_ = RoundUp(used_ + bytes, kAlignment);
  }
  std::memset(part.get(), 0, bytes);
  return part;
}

}  // namespace millwright
