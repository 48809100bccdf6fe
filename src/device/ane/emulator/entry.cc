#include "device/ane/emulator/entry.h"

#include <array>
#include <mutex>

namespace millwright::device::ane::emulator {
namespace {

constexpr std::array<std::string_view, kEntries> kNames = {
#define C_FUNCTION(name, Return, Parameters) #name,
#include "device/ane/c_functions.def"
#define CLASS_METHOD(member, Class, selector, Signature, Need) "+[" #Class " " selector "]",
#define OBJECT_METHOD(member, Class, selector, Signature, Need) "-[" #Class " " selector "]",
#include "device/ane/methods.def"
#define E5_FUNCTION(name, Return, Parameters) #name,
#include "device/ane/e5_functions.def"
};

struct State {
  int64_t calls = 0;
  int64_t fault_at = -1;  // 0: every call
  Fault fault = Fault::kNone;
  bool removed = false;
};

// The emulator stands for an operating system: its state is the process's.
struct EntryTable {
  std::mutex mutex;
  std::array<State, kEntries> states;
  State& operator[](Entry entry) { return states[static_cast<size_t>(entry)]; }
};

EntryTable& Entries() {
  static EntryTable table;
  return table;
}

}  // namespace

Fault Enter(Entry entry) {
  EntryTable& table = Entries();
  const std::lock_guard lock(table.mutex);
  State& state = table[entry];
  ++state.calls;
  const bool now = state.fault_at == 0 || state.fault_at == state.calls;
  return now ? state.fault : Fault::kNone;
}

std::string_view EntryName(Entry entry) { return kNames[static_cast<size_t>(entry)]; }

Entry FindEntry(std::string_view name) {
  int number = 0;
  while (number < kEntries && kNames[static_cast<size_t>(number)] != name) ++number;
  return static_cast<Entry>(number);
}

void ResetEntries() {
  EntryTable& table = Entries();
  const std::lock_guard lock(table.mutex);
  table.states = {};
}

int64_t CallsOf(Entry entry) {
  EntryTable& table = Entries();
  const std::lock_guard lock(table.mutex);
  return table[entry].calls;
}

void Inject(Entry entry, int nth, Fault fault) {
  EntryTable& table = Entries();
  const std::lock_guard lock(table.mutex);
  State& state = table[entry];
  state.fault = fault;
  state.fault_at = nth == 0 ? 0 : state.calls + nth;
}

void Remove(Entry entry) {
  EntryTable& table = Entries();
  const std::lock_guard lock(table.mutex);
  table[entry].removed = true;
}

bool IsRemoved(Entry entry) {
  EntryTable& table = Entries();
  const std::lock_guard lock(table.mutex);
  return table[entry].removed;
}

}  // namespace millwright::device::ane::emulator
