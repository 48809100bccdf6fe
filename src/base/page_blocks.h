// Memory for many tensors that are smaller than a large page each, and lie in large pages all the
// same: a processor does not remember the places of as many ordinary pages as a model has.
#pragma once

#include <cstddef>
#include <memory>

namespace millwright {

// Hands out parts of blocks of large pages. One thread at a time. Pages of a block that no part has
// reached yet take no memory.
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
