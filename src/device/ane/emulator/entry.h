// Every function and method that the emulator has, and what tests want of a call.
#pragma once

#include <cstdint>
#include <string_view>

#include "device/ane/private_api.h"

namespace millwright::device::ane::emulator {

// NOLINTBEGIN(readability-identifier-naming): the names are the interface's.
enum class Entry {
#define C_FUNCTION(name, Return, Parameters) name,
#include "device/ane/c_functions.def"
#define CLASS_METHOD(member, Class, selector, Signature, Need) member,
#define OBJECT_METHOD(member, Class, selector, Signature, Need) member,
#include "device/ane/methods.def"
#define E5_FUNCTION(name, Return, Parameters) name,
#include "device/ane/e5_functions.def"
  kCount
};
// NOLINTEND(readability-identifier-naming)
inline constexpr int kEntries = static_cast<int>(Entry::kCount);

// As in control.h; kNone: the call does its work.
enum class Fault { kNone = 0, kFail, kFailMutely, kErrorYes, kLie };

// Counts a call; what it must do.
Fault Enter(Entry entry);

std::string_view EntryName(Entry entry);
// kCount for an unknown name.
Entry FindEntry(std::string_view name);

// What control.h offers.
void ResetEntries();
int64_t CallsOf(Entry entry);
void Inject(Entry entry, int nth, Fault fault);
void Remove(Entry entry);
bool IsRemoved(Entry entry);

}  // namespace millwright::device::ane::emulator
