// The emulator, for tests: loaded from where it was built, reset, and asked what is left over.
#pragma once

#include <dlfcn.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "device/ane/ane_device.h"
#include "device/ane/compile_budget.h"
#include "device/ane/emulator/control.h"
#include "device/device.h"

namespace millwright::device::ane {

// The emulator's control functions. A new object is a new Mac; what objects leave behind is a
// failure when it goes.
class Emulator {
 public:
  explicit Emulator(const std::string& chip = "m4", const std::string& macos = "15.5") {
    void* library = ::dlopen(MILLWRIGHT_ANE_EMULATOR, RTLD_NOW | RTLD_LOCAL);
    EXPECT_NE(library, nullptr) << ::dlerror();
    Find(library, "mwemu_reset", &reset);
    Find(library, "mwemu_set_machine", &set_machine);
    Find(library, "mwemu_set_limits", &set_limits);
    Find(library, "mwemu_entry_name", &entry_name);
    Find(library, "mwemu_calls", &calls);
    Find(library, "mwemu_inject", &inject);
    Find(library, "mwemu_remove", &remove);
    Find(library, "mwemu_live_objects", &live_objects);
    Find(library, "mwemu_misuses", &misuses);
    Find(library, "mwemu_unpooled", &unpooled);
    Find(library, "mwemu_compilations", &compilations);
    Find(library, "mwemu_loaded_programs", &loaded_programs);
    reset();
    set_limits(1 << 30, uint64_t{2} << 30);
    EXPECT_EQ(set_machine(chip.c_str(), macos.c_str()), 0);
  }
  Emulator(const Emulator&) = delete;
  Emulator& operator=(const Emulator&) = delete;
  ~Emulator() {
    ExpectNothingLeft("at the end");
    reset();
  }

  // Everything was released, in time and once; no program is loaded.
  void ExpectNothingLeft(const std::string& when) const {
    EXPECT_EQ(live_objects(), 0) << when;
    EXPECT_EQ(misuses(), 0) << when;
    EXPECT_EQ(unpooled(), 0) << when;
    EXPECT_EQ(loaded_programs(), 0) << when;
  }

  DeviceOptions Options(AnePath path = AnePath::kInMemory) const {
    return {
        .precision = Precision::kAne,
        .ane = {.path = path, .libraries = {MILLWRIGHT_ANE_EMULATOR}, .compile_budget = 1 << 30}};
  }
  std::unique_ptr<Device> Open(AnePath path = AnePath::kInMemory) const {
    auto device = OpenAneDevice(Options(path));
    EXPECT_TRUE(device.ok()) << (device.ok() ? "" : device.error().message);
    return device.ok() ? *std::move(device) : nullptr;
  }

  std::vector<std::string> EntryNames() const {
    std::vector<std::string> names;
    for (int i = 0; const char* name = entry_name(i); ++i) names.emplace_back(name);
    return names;
  }

  decltype(&mwemu_reset) reset = nullptr;
  decltype(&mwemu_set_machine) set_machine = nullptr;
  decltype(&mwemu_set_limits) set_limits = nullptr;
  decltype(&mwemu_entry_name) entry_name = nullptr;
  decltype(&mwemu_calls) calls = nullptr;
  decltype(&mwemu_inject) inject = nullptr;
  decltype(&mwemu_remove) remove = nullptr;
  decltype(&mwemu_live_objects) live_objects = nullptr;
  decltype(&mwemu_misuses) misuses = nullptr;
  decltype(&mwemu_unpooled) unpooled = nullptr;
  decltype(&mwemu_compilations) compilations = nullptr;
  decltype(&mwemu_loaded_programs) loaded_programs = nullptr;

 private:
  template <class Function>
  static void Find(void* library, const char* name, Function* function) {
    *function = reinterpret_cast<Function>(::dlsym(library, name));
    EXPECT_NE(*function, nullptr) << name;
  }
};

}  // namespace millwright::device::ane
