#include "app/ane_flags.h"

namespace millwright::app {

void AddAneFlags(CLI::App& command, AneFlags& flags) {
  command
      .add_option("--ane-path", flags.path,
                  "inmemory|e5rt: which private interface --device ane goes through")
      ->capture_default_str();
  command
      .add_option("--ane-library", flags.libraries,
                  "A shared library instead of Apple's frameworks: the emulator (repeatable)")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  command
      .add_option(
          "--ane-compile-budget", flags.compile_budget,
          "Programs that this process may compile (default: 100, which is known to be safe)")
      ->check(CLI::PositiveNumber);
}

Result<device::AneOptions> AneOptionsFromFlags(const AneFlags& flags) {
  device::AneOptions options{.libraries = flags.libraries, .compile_budget = flags.compile_budget};
  if (flags.path == "e5rt") {
    options.path = device::AnePath::kE5rt;
  } else if (flags.path != "inmemory") {
    return BadInput("--ane-path {}: expected inmemory or e5rt", flags.path);
  }
  return options;
}

std::vector<std::string> ArgumentsOf(const AneFlags& flags) {
  std::vector<std::string> arguments = {"--ane-path", flags.path};
  for (const std::string& library : flags.libraries) {
    arguments.insert(arguments.end(), {"--ane-library", library});
  }
  if (flags.compile_budget > 0) {
    arguments.insert(arguments.end(),
                     {"--ane-compile-budget", std::to_string(flags.compile_budget)});
  }
  return arguments;
}

std::string_view DefaultPrecision(std::string_view device) {
  return device == "ane" ? "ane" : "fp32";
}

}  // namespace millwright::app
