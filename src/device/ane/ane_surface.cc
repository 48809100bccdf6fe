#include "device/ane/ane_surface.h"

#include <algorithm>
#include <cstring>

namespace millwright::device::ane {
namespace {

// A NaN with a payload that no arithmetic produces, at both ends of the tensor.
constexpr uint16_t kMark16 = 0x7D5A;
constexpr uint32_t kMark32 = 0x7FA5A5A5;

template <class T>
void WriteMark(std::byte* data, size_t bytes, T mark) {
  std::memcpy(data, &mark, sizeof(T));
  std::memcpy(data + bytes - sizeof(T), &mark, sizeof(T));
}

template <class T>
bool HasMark(const std::byte* data, size_t bytes, T mark) {
  return std::memcmp(data, &mark, sizeof(T)) == 0 ||
         std::memcmp(data + bytes - sizeof(T), &mark, sizeof(T)) == 0;
}

}  // namespace

Result<std::unique_ptr<Surface>> AneSurface::Create(std::shared_ptr<Path> path, SurfaceDesc desc) {
  auto memory = path->Allocate(desc.bytes());
  if (!memory) return memory.error().In("surface " + mil::ToString(desc.type));
  return std::unique_ptr<Surface>(
      new AneSurface(std::move(path), std::move(desc), *std::move(memory)));
}

Status AneSurface::Grow(size_t bytes) {
  if (memory_->bytes() >= bytes) return {};
  auto larger = path_->Allocate(bytes);
  if (!larger) return larger.error();
  auto from = memory_->Lock(Access::kRead);
  if (!from) return from.error();
  auto to = (*larger)->Lock(Access::kWrite);
  if (to) std::memcpy(*to, *from, std::min(memory_->bytes(), (*larger)->bytes()));
  Status closed = memory_->Unlock(Access::kRead);
  if (!to) return to.error();
  if (Status status = (*larger)->Unlock(Access::kWrite); !status) return status;
  if (!closed) return closed;
  memory_ = *std::move(larger);
  ++generation_;
  return {};
}

void AneSurface::Spoil(std::string reason) { spoiled_ = std::move(reason); }

Status AneSurface::CheckReadable() const {
  if (spoiled_.empty()) return {};
  return Failed("surface {} holds no result: {}", mil::ToString(desc().type), spoiled_);
}

Status AneSurface::Mark() {
  if (!IsFloat(desc().storage) || desc().bytes() == 0) return {};
  auto data = memory_->Lock(Access::kWrite);
  if (!data) return data.error();
  if (desc().storage == DType::kFp16) {
    WriteMark(*data, desc().bytes(), kMark16);
  } else {
    WriteMark(*data, desc().bytes(), kMark32);
  }
  return memory_->Unlock(Access::kWrite);
}

Status AneSurface::CheckWritten() {
  if (!IsFloat(desc().storage) || desc().bytes() == 0) return {};
  auto data = memory_->Lock(Access::kRead);
  if (!data) return data.error();
  const bool marked = desc().storage == DType::kFp16 ? HasMark(*data, desc().bytes(), kMark16)
                                                     : HasMark(*data, desc().bytes(), kMark32);
  if (Status status = memory_->Unlock(Access::kRead); !status) return status;
  if (!marked) return {};
  return Failed("the run reported success and wrote nothing to output {}",
                mil::ToString(desc().type));
}

Result<std::span<std::byte>> AneSurface::Lock(Access access) {
  if (access != Access::kWrite) {
    if (Status status = CheckReadable(); !status) return status.error();
  }
  auto data = memory_->Lock(access);
  if (!data) return data.error();
  if (access == Access::kWrite) spoiled_.clear();
  return std::span(*data, desc().bytes());
}

void AneSurface::Unlock(Access access) {
  const Status status = memory_->Unlock(access);
  if (!status && access != Access::kRead) Spoil(status.error().message);
}

}  // namespace millwright::device::ane
