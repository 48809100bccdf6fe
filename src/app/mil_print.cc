// millwright mil print: the canonical text of a program.
#include "app/mil_command.h"
#include "app/mil_file.h"
#include "mil/text.h"

namespace millwright::app {

void AddMilPrintCommand(CLI::App& mil, CommandContext& context) {
  struct Options {
    std::string file;
    bool verbose = false;
  };
  auto options = std::make_shared<Options>();
  CLI::App* command = mil.add_subcommand("print", "Prints a program's canonical text");
  command->add_option("FILE", options->file, "MIL text")->required();
  command->add_flag(
      "--verbose", options->verbose,
      "In the dialect of compilers before macOS 15: tensor<string, []>(\"x\"), ios16");
  command->callback([options, &context] {
    context.action = [options] {
      const auto file = ReadMilFile(options->file);
      if (!file) return Report(file.error());
      fmt::print("{}",
                 options->verbose ? mil::PrintVerbose(file->program) : mil::Print(file->program));
      return kExitDone;
    };
  });
}

}  // namespace millwright::app
