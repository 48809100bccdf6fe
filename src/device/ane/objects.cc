#include "device/ane/objects.h"

#include <array>

namespace millwright::device::ane {
namespace {

Result<Ref> Checked(const CFunctions& c, Id object, std::string_view function) {
  if (object == nullptr) return Failed("{} returned nothing", function);
  return Ref::Adopt(c, object);
}

}  // namespace

Result<Ref> MakeData(const CFunctions& c, std::span<const std::byte> bytes) {
  return Checked(c,
                 c.CFDataCreate(nullptr, reinterpret_cast<const uint8_t*>(bytes.data()),
                                static_cast<long>(bytes.size())),
                 "CFDataCreate");
}

Result<Ref> MakeString(const CFunctions& c, const std::string& text) {
  return Checked(c, c.CFStringCreateWithCString(nullptr, text.c_str(), kUtf8),
                 "CFStringCreateWithCString");
}

Result<Ref> MakeNumber(const CFunctions& c, int64_t value) {
  return Checked(c, c.CFNumberCreate(nullptr, kNumberSInt64, &value), "CFNumberCreate");
}

Result<Ref> MakeArray(const CFunctions& c, std::span<const Ref> elements) {
  std::vector<const void*> values;
  for (const Ref& element : elements) values.push_back(element.get());
  return Checked(c,
                 c.CFArrayCreate(nullptr, values.data(), static_cast<long>(values.size()),
                                 c.kCFTypeArrayCallBacks),
                 "CFArrayCreate");
}

Result<Ref> MakeDictionary(const CFunctions& c, std::span<const std::pair<Ref, Ref>> entries) {
  std::vector<const void*> keys, values;
  for (const auto& [key, value] : entries) {
    keys.push_back(key.get());
    values.push_back(value.get());
  }
  return Checked(
      c,
      c.CFDictionaryCreate(nullptr, keys.data(), values.data(), static_cast<long>(keys.size()),
                           c.kCFTypeDictionaryKeyCallBacks, c.kCFTypeDictionaryValueCallBacks),
      "CFDictionaryCreate");
}

Result<std::string> TextOf(const CFunctions& c, Id string) {
  std::array<char, 4096> buffer;
  if (string == nullptr ||
      c.CFStringGetCString(string, buffer.data(), static_cast<long>(buffer.size()), kUtf8) == 0) {
    return Failed("CFStringGetCString gave no text");
  }
  return std::string(buffer.data());
}

}  // namespace millwright::device::ane
