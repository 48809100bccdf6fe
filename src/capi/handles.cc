#include "capi/handles.h"

#include <mutex>

namespace millwright::capi {
namespace {

struct Registry {
  std::mutex mutex;
  std::set<const mw_ane_device*> devices;
  std::set<const mw_ane_program*> programs;
};

Registry& TheRegistry() {
  static auto& registry = *new Registry;
  return registry;
}

}  // namespace

mw_ane_device* Register(std::unique_ptr<mw_ane_device> device) {
  Registry& registry = TheRegistry();
  const std::lock_guard lock(registry.mutex);
  registry.devices.insert(device.get());
  return device.release();
}

mw_ane_program* Register(mw_ane_device& owner, std::unique_ptr<mw_ane_program> program) {
  Registry& registry = TheRegistry();
  const std::lock_guard lock(registry.mutex);
  program->owner = &owner;
  owner.programs.insert(program.get());
  registry.programs.insert(program.get());
  return program.release();
}

Status Check(const mw_ane_device* device) {
  Registry& registry = TheRegistry();
  const std::lock_guard lock(registry.mutex);
  if (registry.devices.contains(device)) return {};
  return BadInput("the device is not open");
}

Status Check(const mw_ane_program* program) {
  Registry& registry = TheRegistry();
  const std::lock_guard lock(registry.mutex);
  if (registry.programs.contains(program)) return {};
  return BadInput("the program does not exist");
}

void Release(mw_ane_program* program) {
  Registry& registry = TheRegistry();
  {
    const std::lock_guard lock(registry.mutex);
    if (registry.programs.erase(program) == 0) return;
    program->owner->programs.erase(program);
  }
  delete program;
}

void Release(mw_ane_device* device) {
  Registry& registry = TheRegistry();
  std::set<mw_ane_program*> programs;
  {
    const std::lock_guard lock(registry.mutex);
    if (registry.devices.erase(device) == 0) return;
    programs = device->programs;
  }
  for (mw_ane_program* program : programs) Release(program);
  delete device;
}

}  // namespace millwright::capi
