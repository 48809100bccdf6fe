// millwright mil import: the program of a Core ML package as text.
#include <filesystem>

#include "app/mil_command.h"
#include "base/atomic_file.h"
#include "mil/package/package.h"
#include "mil/text.h"
#include "mil/verify.h"

namespace millwright::app {
namespace {

struct ImportOptions {
  std::string package, file;
};

Status Import(const ImportOptions& options) {
  std::error_code error;
  if (!options.file.empty() && std::filesystem::exists(options.file, error)) {
    return BadInput("{}: exists", options.file);
  }
  const auto read = mil::ReadPackage(options.package);
  if (!read) return read.error();
  const std::string text = mil::Print(read->program);
  if (options.file.empty()) {
    fmt::print("{}", text);
  } else if (auto status = WriteFileAtomically(options.file, text); !status) {
    return status;
  }
  fmt::print(stderr, "weights: --weights {}\n", read->weights_folder);
  if (auto status = mil::Verify(read->program); !status) {
    fmt::print(stderr, "not a program that runs here: {}\n", status.error().message);
  }
  return {};
}

}  // namespace

void AddMilImportCommand(CLI::App& mil, CommandContext& context) {
  auto options = std::make_shared<ImportOptions>();
  CLI::App* command =
      mil.add_subcommand("import", "Prints the program of a Core ML package as MIL text");
  command->add_option("PACKAGE", options->package, "A .mlpackage folder or a .mlmodel file")
      ->required();
  command->add_option("FILE", options->file, "Where to write the text; it must not exist");
  command->callback([options, &context] {
    context.action = [options] {
      const Status status = Import(*options);
      return status ? kExitDone : Report(status.error());
    };
  });
}

}  // namespace millwright::app
