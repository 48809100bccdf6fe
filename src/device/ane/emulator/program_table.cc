#include "device/ane/emulator/program_table.h"

#include <map>
#include <mutex>

#include "device/ane/emulator/machine.h"

namespace millwright::device::ane::emulator {
namespace {

constexpr int64_t kMostLoaded = 127;

struct Programs {
  std::mutex mutex;
  std::map<std::string, std::shared_ptr<EngineProgram>> programs;
  int64_t compilations = 0, loaded = 0;
};

Programs& ThePrograms() {
  static Programs table;
  return table;
}

}  // namespace

Result<std::shared_ptr<EngineProgram>> CompileProgram(const std::string& identifier,
                                                      const std::string& mil_path) {
  Programs& table = ThePrograms();
  const std::lock_guard lock(table.mutex);
  if (++table.compilations > Machine().compile_limit) {
    return Failed("ANECCompile() FAILED: CompilationFailure (no compilations left)");
  }
  auto program = EngineProgram::Compile(mil_path);
  if (program) table.programs[identifier] = *program;
  return program;
}

std::shared_ptr<EngineProgram> FindProgram(const std::string& identifier) {
  Programs& table = ThePrograms();
  const std::lock_guard lock(table.mutex);
  const auto found = table.programs.find(identifier);
  return found == table.programs.end() ? nullptr : found->second;
}

Status LoadProgram(const EngineProgram& program) {
  Programs& table = ThePrograms();
  const std::lock_guard lock(table.mutex);
  if (program.weight_bytes() > Machine().weight_limit || table.loaded >= kMostLoaded) {
    return Failed("Program load failure (0x20004)");
  }
  ++table.loaded;
  return {};
}

void UnloadProgram() {
  Programs& table = ThePrograms();
  const std::lock_guard lock(table.mutex);
  --table.loaded;
}

void ForgetPrograms() {
  Programs& table = ThePrograms();
  const std::lock_guard lock(table.mutex);
  table.programs.clear();
  table.compilations = 0;
}

int64_t Compilations() {
  Programs& table = ThePrograms();
  const std::lock_guard lock(table.mutex);
  return table.compilations;
}

int64_t LoadedPrograms() {
  Programs& table = ThePrograms();
  const std::lock_guard lock(table.mutex);
  return table.loaded;
}

}  // namespace millwright::device::ane::emulator
