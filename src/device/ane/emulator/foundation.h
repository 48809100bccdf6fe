// The objects of Foundation and CoreFoundation, as far as the private API needs them.
#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "device/ane/emulator/object.h"

namespace millwright::device::ane::emulator {

struct String final : Object {
  explicit String(std::string t, bool immortal = false)
      : Object(GetClass("NSString"), immortal), text(std::move(t)) {}
  std::string text;
};

struct Data final : Object {
  explicit Data(std::string b) : Object(GetClass("NSData")), bytes(std::move(b)) {}
  std::string bytes;
};

struct Number final : Object {
  explicit Number(int64_t v) : Object(GetClass("NSNumber")), value(v) {}
  int64_t value;
};

struct Array final : Object {
  Array() : Object(GetClass("NSArray")) {}
  std::vector<Held<Object>> elements;
};

struct Dictionary final : Object {
  Dictionary() : Object(GetClass("NSDictionary")) {}
  // The value whose key is that text, or null.
  Object* Find(std::string_view key) const;
  std::vector<std::pair<Held<Object>, Held<Object>>> entries;
};

struct ErrorObject final : Object {
  ErrorObject(long c, std::string d)
      : Object(GetClass("NSError")), code(c), description(std::move(d)) {}
  long code;
  std::string description;
};

struct IndexSet final : Object {
  explicit IndexSet(size_t count) : Object(GetClass("NSIndexSet")) {
    for (size_t i = 0; i < count; ++i) indices.insert(i);
  }
  std::set<unsigned long> indices;
};

// Sets *error, if there is one to set, to an autoreleased error; NO.
bool Fail(Id* error, long code, std::string description);

}  // namespace millwright::device::ane::emulator
