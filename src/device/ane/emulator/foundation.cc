#include "device/ane/emulator/foundation.h"

#include <cstring>

#include "device/ane/emulator/entry.h"
#include "device/ane/emulator/exports.h"
#include "device/ane/emulator/machine.h"

namespace millwright::device::ane::emulator {

Object* Dictionary::Find(std::string_view key) const {
  for (const auto& [k, value] : entries) {
    const auto* text = dynamic_cast<const String*>(k.get());
    if (text != nullptr && text->text == key) return value.get();
  }
  return nullptr;
}

bool Fail(Id* error, long code, std::string description) {
  if (error != nullptr) *error = Autorelease(new ErrorObject(code, std::move(description)));
  return false;
}

const char kCFTypeArrayCallBacks = 0;
const char kCFTypeDictionaryKeyCallBacks = 0;
const char kCFTypeDictionaryValueCallBacks = 0;

Id CFDataCreate(Id, const uint8_t* bytes, long length) {
  if (Enter(Entry::CFDataCreate) != Fault::kNone) return nullptr;
  const auto* first = reinterpret_cast<const char*>(bytes);
  return (new Data(length > 0 ? std::string(first, static_cast<size_t>(length)) : ""))->id();
}

Id CFStringCreateWithCString(Id, const char* text, uint32_t encoding) {
  if (Enter(Entry::CFStringCreateWithCString) != Fault::kNone) return nullptr;
  return encoding == kUtf8 ? (new String(text))->id() : nullptr;
}

unsigned char CFStringGetCString(Id string, char* buffer, long size, uint32_t encoding) {
  if (Enter(Entry::CFStringGetCString) != Fault::kNone) return 0;
  const auto* text = As<String>(string);
  if (text == nullptr || encoding != kUtf8) return 0;
  if (size <= static_cast<long>(text->text.size())) return 0;
  std::memcpy(buffer, text->text.c_str(), text->text.size() + 1);
  return 1;
}

Id CFNumberCreate(Id, long type, const void* value) {
  if (Enter(Entry::CFNumberCreate) != Fault::kNone || type != kNumberSInt64) return nullptr;
  int64_t number = 0;
  std::memcpy(&number, value, sizeof(number));
  return (new Number(number))->id();
}

namespace {

// An element of a collection; null for what is no live object.
Object* Element(const void* value) { return Live(static_cast<Id>(const_cast<void*>(value))); }

}  // namespace

Id CFArrayCreate(Id, const void** values, long count, const void* callbacks) {
  if (Enter(Entry::CFArrayCreate) != Fault::kNone || callbacks == nullptr) return nullptr;
  auto* array = new Array;
  for (long i = 0; i < count; ++i) array->elements.emplace_back(Element(values[i]));
  return array->id();
}

Id CFDictionaryCreate(Id, const void** keys, const void** values, long count,
                      const void* key_callbacks, const void* value_callbacks) {
  if (Enter(Entry::CFDictionaryCreate) != Fault::kNone) return nullptr;
  if (key_callbacks == nullptr || value_callbacks == nullptr) return nullptr;
  auto* dictionary = new Dictionary;
  for (long i = 0; i < count; ++i) {
    dictionary->entries.emplace_back(Element(keys[i]), Element(values[i]));
  }
  return dictionary->id();
}

long CFErrorGetCode(Id error) {
  Enter(Entry::CFErrorGetCode);
  const auto* object = As<ErrorObject>(error);
  return object == nullptr ? 0 : object->code;
}

Id CFErrorCopyDescription(Id error) {
  if (Enter(Entry::CFErrorCopyDescription) != Fault::kNone) return nullptr;
  const auto* object = As<ErrorObject>(error);
  return object == nullptr ? nullptr : (new String(object->description))->id();
}

Id NSTemporaryDirectory() {
  if (Enter(Entry::NSTemporaryDirectory) != Fault::kNone) return nullptr;
  return Autorelease(new String(TemporaryFolder()));
}

}  // namespace millwright::device::ane::emulator
