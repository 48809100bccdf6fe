// millwright mil run: a program on a device, arrays in and out.
#include "app/mil_run.h"

#include <algorithm>

#include "app/mil_command.h"
#include "app/mil_explain.h"
#include "app/open_device.h"
#include "base/clock.h"
#include "inspect/bound_program.h"

namespace millwright::app {
namespace {

using OutputList = std::vector<std::pair<size_t, std::string>>;

// The dtype in which output `index` is written: as the program declares it, doubles in `exact`.
DType FileDType(const inspect::BoundProgram& bound, const mil::Array& output, size_t index) {
  return bound.output_storage(index) == DType::kFp64 ? DType::kFp64 : output.type.dtype;
}

Status WriteOutputs(const inspect::BoundProgram& bound, const OutputList& files) {
  for (const auto& [index, path] : files) {
    const auto output = bound.Output(index);
    if (!output) return output.error();
    Status status = WriteNpy(path, ToNpy(*output, FileDType(bound, *output, index)));
    if (!status) return status;
  }
  return {};
}

Status PrintOutputs(const mil::Function& function, const inspect::BoundProgram& bound) {
  for (size_t i = 0; i < function.outputs.size(); ++i) {
    const auto output = bound.Output(i);
    if (!output) return output.error();
    fmt::print("{}\n", SummaryLine(function.value(function.outputs[i]).id, *output));
  }
  return {};
}

Status RunRepeatedly(int repeat, inspect::BoundProgram* bound) {
  std::vector<double> times;
  for (int i = 0; i < repeat; ++i) {
    const Stopwatch watch;
    if (Status status = bound->Run(); !status) return status;
    times.push_back(watch.ms());
  }
  if (repeat == 1) return {};
  double sum = 0;
  for (const double time : times) sum += time;
  std::sort(times.begin(), times.end());
  fmt::print("{} runs: min {:.3f} ms, median {:.3f} ms, mean {:.3f} ms\n", repeat, times.front(),
             times[times.size() / 2], sum / repeat);
  return {};
}

Status RunPlain(const MilRunFlags& flags, const MilRun& run, device::Device& device) {
  const auto files = OutputFiles(run.function(), flags.outputs);
  if (!files) return files.error();
  auto bound = inspect::BoundProgram::Create(device, run.program, run.weights);
  if (!bound) return bound.error().In(flags.file);
  for (size_t i = 0; i < run.inputs.size(); ++i) {
    if (Status status = bound->SetInput(i, run.inputs[i]); !status) return status;
  }
  if (Status status = RunRepeatedly(flags.repeat, &*bound); !status) return status;
  return files->empty() ? PrintOutputs(run.function(), *bound) : WriteOutputs(*bound, *files);
}

Status Explain(const MilRunFlags& flags, Precision precision) {
  if (flags.device != "cpu") {
    return BadInput("--explain: the cpu device alone has a compiler to explain");
  }
  const auto run = LoadMilRun(flags);
  if (!run) return run.error();
  const auto report = device::ReportCompilation(run->program, run->weights,
                                                {.precision = precision, .threads = flags.threads});
  if (!report) return report.error().In(flags.file);
  fmt::print("{}", flags.json ? ExplanationJson(*report) : ExplanationText(*report));
  return {};
}

// The exit code, where nothing failed.
Result<int> Run(const MilRunFlags& flags) {
  const auto precision = PrecisionFromFlag(flags.precision, /*exact=*/true);
  if (!precision) return precision.error();
  if (flags.json && !flags.explain && flags.trace.empty() && flags.compare.empty()) {
    return BadInput("--json: goes with --explain, --trace or --compare");
  }
  if (flags.explain) {
    if (Status status = Explain(flags, *precision); !status) return status.error();
    return kExitDone;
  }
  auto device = OpenDevice(flags.device, {.precision = *precision, .threads = flags.threads});
  if (!device) return device.error();
  const auto run = PrepareMilRun(flags);
  if (!run) return run.error();
  if (!flags.compare.empty()) {
    const auto part = CompareRuns(flags, *run, **device, *precision);
    if (!part) return part.error();
    return *part ? kExitFailed : kExitDone;
  }
  const Status status = flags.trace.empty() ? RunPlain(flags, *run, **device)
                                            : TraceRun(flags, *run, **device, *precision);
  if (!status) return status.error();
  return kExitDone;
}

void AddFlags(CLI::App* command, MilRunFlags* flags) {
  command->add_option("FILE", flags->file, "MIL text")->required();
  command->add_option("--function", flags->function, "The function to run; default: the first");
  command->add_option("--weights", flags->weights,
                      "Folder of weight files; default: the program's, weights/x.bin, then x.bin");
  auto* lenient = command->add_flag("--lenient-blobs", flags->lenient_blobs,
                                    "Read the malformed records of public programs, too");
  command
      ->add_flag("--random-weights", flags->random_weights,
                 "Seeded random weights instead of files")
      ->excludes(lenient);
  command->add_option("--input", flags->inputs, "NAME=FILE.npy, for each input");
  command->add_option("--output", flags->outputs,
                      "NAME=FILE.npy; without any, outputs are summarised");
  command->add_option("--random", flags->random, "Seed of inputs that are not given");
  command->add_option("--device", flags->device, "cpu or reference")->capture_default_str();
  command->add_option("--precision", flags->precision, "fp32|fp16|bf16|int8|ane|exact")
      ->capture_default_str();
  command->add_option("--threads", flags->threads, "0: all cores")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  command->add_option("--repeat", flags->repeat, "Run so often, and say how long it took")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  auto* outputs = command->get_option("--output");
  auto* repeat = command->get_option("--repeat");
  auto* explain =
      command
          ->add_flag("--explain", flags->explain,
                     "Say what the cpu device's compiler makes of the program, and do not run it")
          ->excludes(outputs)
          ->excludes(repeat);
  auto* trace = command
                    ->add_option("--trace", flags->trace,
                                 "Write every intermediate into this new folder; a line about each")
                    ->excludes(outputs)
                    ->excludes(repeat)
                    ->excludes(explain);
  command
      ->add_option("--compare", flags->compare,
                   "reference[:PRECISION], default exact: name the first operation at which the "
                   "two runs part; exit code 1 if they do")
      ->excludes(outputs)
      ->excludes(repeat)
      ->excludes(explain)
      ->excludes(trace);
  command->add_flag("--json", flags->json, "The report of --explain, --trace or --compare as JSON");
}

}  // namespace

void AddMilRunCommand(CLI::App& mil, CommandContext& context) {
  auto flags = std::make_shared<MilRunFlags>();
  CLI::App* command = mil.add_subcommand("run", "Runs a program on arrays of .npy files");
  AddFlags(command, flags.get());
  command->callback([flags, &context] {
    context.action = [flags] {
      const auto exit_code = Run(*flags);
      return exit_code ? *exit_code : Report(exit_code.error());
    };
  });
}

}  // namespace millwright::app
