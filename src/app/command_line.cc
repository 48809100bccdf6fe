#include "app/command_line.h"

#include <cstdio>
#include <memory>

#include "app/command.h"

namespace millwright::app {

int Report(const Error& error) {
  std::fflush(stdout);
  fmt::print(stderr, "millwright: {}\n", error.message);
  return error.kind == ErrorKind::kBadInput ? kExitBadInput : kExitFailed;
}

namespace {

// What the user would want to hear first: a misspelt command or flag, not what is missing besides.
std::string UsageMessage(const CLI::App& app, const CLI::ParseError& error) {
  const std::vector<std::string> unknown = app.remaining(true);
  if (unknown.empty()) return error.what();
  return fmt::format("{} {} is not known", unknown[0].starts_with("-") ? "flag" : "argument",
                     unknown[0]);
}

}  // namespace

int RunCommandLine(int argc, char** argv, const model::ModelConfig& config) {
  CLI::App app(fmt::format(
      "Trains language models through MIL kernels, on any CPU.\nThis binary was built for {} "
      "({:.1f}M parameters).",
      config.title, static_cast<double>(config.params()) / 1e6));
  app.name("millwright");
  app.set_version_flag("--version",
                       fmt::format("millwright {} ({})", MILLWRIGHT_VERSION, config.name));
  app.require_subcommand(1);
  CommandContext context{config, argv[0], nullptr};
#define COMMAND(name, Name) Add##Name##Command(app, context);
#include "app/commands.def"
#undef COMMAND
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);
    fmt::print(stderr, "millwright: {} (--help tells more)\n", UsageMessage(app, error));
    return kExitBadInput;
  }
  try {
    return context.action();
  } catch (const std::bad_alloc&) {
    return Report(Failed("out of memory"));
  }
}

}  // namespace millwright::app
