// The device's surfaces: memory of a path, and whether what it holds may be read.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "device/ane/path.h"
#include "device/surface.h"

namespace millwright::device::ane {

// A surface whose memory may be replaced by larger memory, since all surfaces of one side of a
// request must have the same size (fact B9); `generation` says that it was.
class AneSurface final : public Surface {
 public:
  static Result<std::unique_ptr<Surface>> Create(std::shared_ptr<Path> path, SurfaceDesc desc);

  Memory* memory() const { return memory_.get(); }
  uint64_t generation() const { return generation_; }

  // Makes the memory at least `bytes` large; the contents stay.
  Status Grow(size_t bytes);

  // The contents are void: reading is refused, with this reason, until something is written.
  void Spoil(std::string reason);
  // A run has written the contents.
  void Written() { spoiled_.clear(); }
  // An error where the contents are void.
  Status CheckReadable() const;

  // Before a run that writes the surface: a mark that no result contains. After it: an error where
  // the mark is still there, for then the run wrote nothing although it reported success.
  // Surfaces of integers cannot be marked, all bits may be results.
  Status Mark();
  Status CheckWritten();

 private:
  AneSurface(std::shared_ptr<Path> path, SurfaceDesc desc, std::unique_ptr<Memory> memory)
      : Surface(std::move(desc)), path_(std::move(path)), memory_(std::move(memory)) {}

  Result<std::span<std::byte>> Lock(Access access) override;
  void Unlock(Access access) override;

  std::shared_ptr<Path> path_;
  std::unique_ptr<Memory> memory_;
  uint64_t generation_ = 0;
  std::string spoiled_;  // why, or empty
};

}  // namespace millwright::device::ane
