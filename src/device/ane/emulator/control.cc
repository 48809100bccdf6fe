#include "device/ane/emulator/control.h"

#include "device/ane/emulator/entry.h"
#include "device/ane/emulator/machine.h"
#include "device/ane/emulator/object.h"
#include "device/ane/emulator/program_table.h"

using namespace millwright::device::ane::emulator;

namespace {

// -1 for an unknown name, else 0 after `act`.
template <class Act>
int For(const char* name, const Act& act) {
  const Entry entry = FindEntry(name);
  if (entry == Entry::kCount) return -1;
  act(entry);
  return 0;
}

}  // namespace

extern "C" {

void mwemu_reset() {
  Machine() = MachineState();
  ResetEntries();
  ForgetPrograms();
  ForgetMisuses();
}

int mwemu_set_machine(const char* chip, const char* macos) {
  return SetMachine(chip, macos) ? 0 : -1;
}

void mwemu_set_limits(int compilations, uint64_t weight_bytes) {
  Machine().compile_limit = compilations;
  Machine().weight_limit = weight_bytes;
}

const char* mwemu_entry_name(int number) {
  return number < 0 || number >= kEntries ? nullptr : EntryName(static_cast<Entry>(number)).data();
}

int64_t mwemu_calls(const char* name) {
  const Entry entry = FindEntry(name);
  return entry == Entry::kCount ? -1 : CallsOf(entry);
}

int mwemu_inject(const char* name, int nth, int fault) {
  return For(name, [&](Entry entry) { Inject(entry, nth, static_cast<Fault>(fault)); });
}

int mwemu_remove(const char* name) { return For(name, Remove); }

int64_t mwemu_live_objects() { return CountObjects().live; }

int64_t mwemu_misuses() { return CountObjects().misuses; }

int64_t mwemu_unpooled() { return CountObjects().unpooled; }

int64_t mwemu_compilations() { return Compilations(); }

int64_t mwemu_loaded_programs() { return LoadedPrograms(); }

}  // extern "C"
