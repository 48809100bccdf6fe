#include "device/ane/emulator/surface.h"

#include "device/ane/emulator/entry.h"
#include "device/ane/emulator/exports.h"
#include "device/ane/emulator/foundation.h"

namespace millwright::device::ane::emulator {
namespace {

constexpr int kReturnBadArgument = static_cast<int>(0xe00002c2);  // kIOReturnBadArgument
constexpr int kNotPermitted = static_cast<int>(0xe00002e2);
constexpr int64_t kPage = 16384;

Id ConstantString(const char* text) { return (new String(text, /*immortal=*/true))->id(); }

int64_t Property(const Dictionary& properties, Id key) {
  const auto* name = As<String>(key);
  const auto* number = dynamic_cast<const Number*>(properties.Find(name->text));
  return number == nullptr ? 0 : number->value;
}

}  // namespace

const Id kIOSurfaceWidth = ConstantString("IOSurfaceWidth");
const Id kIOSurfaceHeight = ConstantString("IOSurfaceHeight");
const Id kIOSurfaceBytesPerElement = ConstantString("IOSurfaceBytesPerElement");
const Id kIOSurfaceBytesPerRow = ConstantString("IOSurfaceBytesPerRow");
const Id kIOSurfaceAllocSize = ConstantString("IOSurfaceAllocSize");
const Id kIOSurfacePixelFormat = ConstantString("IOSurfacePixelFormat");

Id IOSurfaceCreate(Id properties) {
  if (Enter(Entry::IOSurfaceCreate) != Fault::kNone) return nullptr;
  const auto* dictionary = As<Dictionary>(properties);
  if (dictionary == nullptr) return nullptr;
  const int64_t width = Property(*dictionary, kIOSurfaceWidth);
  const int64_t height = Property(*dictionary, kIOSurfaceHeight);
  const int64_t element = Property(*dictionary, kIOSurfaceBytesPerElement);
  const int64_t row = Property(*dictionary, kIOSurfaceBytesPerRow);
  const int64_t size = Property(*dictionary, kIOSurfaceAllocSize);
  const bool consistent =
      width > 0 && height > 0 && element > 0 && width * element <= row && row * height <= size;
  if (!consistent) return nullptr;
  return (new IoSurfaceObject(static_cast<size_t>((size + kPage - 1) / kPage * kPage)))->id();
}

int IOSurfaceLock(Id surface, uint32_t options, uint32_t*) {
  if (Enter(Entry::IOSurfaceLock) != Fault::kNone) return kNotPermitted;
  auto* object = As<IoSurfaceObject>(surface);
  if (object == nullptr) return kReturnBadArgument;
  ++(options == kSurfaceReadOnly ? object->readers : object->writers);
  return 0;
}

// The options must be those of a lock that is held.
int IOSurfaceUnlock(Id surface, uint32_t options, uint32_t*) {
  const Fault fault = Enter(Entry::IOSurfaceUnlock);
  auto* object = As<IoSurfaceObject>(surface);
  if (object == nullptr) return kReturnBadArgument;
  int& locks = options == kSurfaceReadOnly ? object->readers : object->writers;
  if (locks == 0) return kReturnBadArgument;
  --locks;
  return fault == Fault::kNone ? 0 : kNotPermitted;
}

void* IOSurfaceGetBaseAddress(Id surface) {
  if (Enter(Entry::IOSurfaceGetBaseAddress) != Fault::kNone) return nullptr;
  auto* object = As<IoSurfaceObject>(surface);
  return object == nullptr ? nullptr : object->memory.data();
}

size_t IOSurfaceGetAllocSize(Id surface) {
  if (Enter(Entry::IOSurfaceGetAllocSize) != Fault::kNone) return 0;
  const auto* object = As<IoSurfaceObject>(surface);
  return object == nullptr ? 0 : object->memory.size();
}

}  // namespace millwright::device::ane::emulator
