// Memory for many tensors that are smaller than a large page each, and lie in large pages all the
// same: reading a whole model needs fewer entries of the processor's page table than it has.
#pragma once

#include <cstddef>
#include <memory>

namespace millwright {

// Hands out parts of blocks of large pages. One thread at a time. What is not touched of a block
// takes no memory.
class PageBlocks {
 public:
  // `bytes` zeros, aligned to a cache line; null for none. A part may outlive the object that it is
  // from; a block is freed with the last of its parts.
  std::shared_ptr<std::byte> Take(size_t bytes);

 private:
  std::shared_ptr<std::byte> block_;
  size_t used_ = 0;  // of block_
};

}  // namespace millwright
