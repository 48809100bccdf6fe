// The compiled programs that the compiler service keeps for this process, and its limits.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"
#include "device/ane/emulator/engine.h"

namespace millwright::device::ane::emulator {

// Compiles the program in `mil_path` and keeps it as `identifier`, unless the process has used up
// its compilations (fact D9).
Result<std::shared_ptr<EngineProgram>> CompileProgram(const std::string& identifier,
                                                      const std::string& mil_path);

// The program of that identifier, or null.
std::shared_ptr<EngineProgram> FindProgram(const std::string& identifier);

// Brings a program to the engine. Fails where it is too large, or 127 are loaded (facts B14, D9).
Status LoadProgram(const EngineProgram& program);
void UnloadProgram();

void ForgetPrograms();
int64_t Compilations();
int64_t LoadedPrograms();

}  // namespace millwright::device::ane::emulator
