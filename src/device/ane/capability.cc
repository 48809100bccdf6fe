#include "device/ane/capability.h"

#include <array>
#include <charconv>

#include "device/ane/constraints.h"
#include "device/ane/objects.h"

namespace millwright::device::ane {
namespace {

// A string of the system, or "".
std::string SystemText(const CFunctions& c, const char* name) {
  std::array<char, 256> buffer = {};
  size_t size = buffer.size() - 1;
  return c.sysctlbyname(name, buffer.data(), &size, nullptr, 0) == 0 ? buffer.data() : "";
}

// The chip by the name of the processor ("Apple M3 Ultra"), which tells variants apart, else by the
// engine's architecture.
Result<Target> FindTarget(const Machine& machine) {
  Target target;
  std::string_view name = machine.chip;
  if (name.starts_with("Apple ")) name.remove_prefix(6);
  if (auto parsed = ParseTarget(name)) {
    target = *parsed;
  } else {
    auto chip = ChipFromArchitecture(machine.architecture);
    if (!chip) return chip.error().In(fmt::format("chip \"{}\"", machine.chip));
    target.chip = *chip;
  }
  const std::string& version = machine.macos;
  int major = 0;
  std::from_chars(version.data(), version.data() + version.size(), major);
  if (major <= 0) return Failed("macOS \"{}\": no version", version);
  target.macos = major;
  return target;
}

}  // namespace

Result<Machine> FindMachine(const Api& api) {
  const AutoreleasePool pool(api.c);
  const Methods& methods = api.methods;
  if (methods.has_ane && !methods.has_ane()) {
    return BadInput("device ane: this machine has no Neural Engine");
  }
  Machine machine{.macos = SystemText(api.c, "kern.osproductversion"),
                  .chip = SystemText(api.c, "machdep.cpu.brand_string"),
                  .architecture = {},
                  .target = {}};
  if (methods.architecture) {
    if (auto text = TextOf(api.c, methods.architecture())) machine.architecture = *text;
  }
  if (methods.cores) machine.cores = methods.cores();
  if (methods.engines) machine.engines = methods.engines();
  auto target = FindTarget(machine);
  if (!target) return target.error().In("device ane");
  machine.target = *target;
  return machine;
}

std::vector<std::string> CapabilityReport(const Machine& machine, const Api& api) {
  const auto known = [](unsigned number) {
    return number == 0 ? std::string("unknown") : fmt::format("{}", number);
  };
  std::vector<std::string> lines = {
      fmt::format("macOS {}", machine.macos),
      fmt::format("chip {}, architecture {}, treated as {}", machine.chip,
                  machine.architecture.empty() ? "unknown" : machine.architecture,
                  ChipName(machine.target.chip)),
      fmt::format("engines {}, cores {}", known(machine.engines), known(machine.cores))};
  for (const Symbol& symbol : api.symbols) {
    lines.push_back(fmt::format("{} {}{}", symbol.present ? "found  " : "MISSING", symbol.name,
                                symbol.needed ? "" : " (optional)"));
  }
  for (const Constraint& constraint : AllConstraints()) {
    if (!constraint.applies(machine.target)) continue;
    lines.push_back(fmt::format("applies {} {}", constraint.id, constraint.summary));
  }
  return lines;
}

}  // namespace millwright::device::ane
