// millwright mil export: a program as a Core ML package.
#include "app/mil_command.h"
#include "app/mil_file.h"
#include "mil/package/package.h"
#include "mil/verify.h"

namespace millwright::app {
namespace {

struct ExportOptions {
  std::string file, package, weights;
  bool lenient_blobs = false;
};

Status Export(const ExportOptions& options) {
  const auto file = ReadMilFile(options.file);
  if (!file) return file.error();
  if (auto status = mil::Verify(file->program); !status) return status.error().In(options.file);
  const auto weights =
      LoadMilWeights(file->program, options.file, options.weights, options.lenient_blobs);
  if (!weights) return weights.error();
  const auto written =
      mil::WritePackage(file->program, *weights, options.package, options.lenient_blobs);
  if (!written) return written.error();
  for (const std::string& note : written->notes) fmt::print(stderr, "{}\n", note);
  fmt::print("{}: specification version {}, model {} bytes, weights {} bytes\n", options.package,
             written->specification_version, written->model_bytes, written->weight_bytes);
  return {};
}

}  // namespace

void AddMilExportCommand(CLI::App& mil, CommandContext& context) {
  auto options = std::make_shared<ExportOptions>();
  CLI::App* command =
      mil.add_subcommand("export", "Writes a program as a Core ML package (.mlpackage)");
  command->add_option("FILE", options->file, "MIL text")->required();
  command->add_option("PACKAGE", options->package, "The folder to write; it must not exist")
      ->required();
  command->add_option("--weights", options->weights,
                      "Folder of weight files; default: the program's, weights/x.bin, then x.bin");
  command->add_flag("--lenient-blobs", options->lenient_blobs,
                    "Read the malformed records of public programs, too");
  command->callback([options, &context] {
    context.action = [options] {
      const Status status = Export(*options);
      return status ? kExitDone : Report(status.error());
    };
  });
}

}  // namespace millwright::app
