// The files that a run reads and writes.
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

#include "app/mil_run.h"
#include "base/numerics.h"
#include "inspect/random_tensors.h"
#include "inspect/tensor_stats.h"
#include "mil/verify.h"

namespace millwright::app {
namespace {

constexpr uint64_t kDefaultSeed = 42;  // where --random does not name one

struct NamedFile {
  std::string name, file;
};

Result<NamedFile> SplitNamedFile(std::string_view flag, const std::string& argument) {
  const size_t sign = argument.find('=');
  if (sign == 0 || sign == std::string::npos || sign + 1 == argument.size()) {
    return BadInput("{} {}: expected NAME=FILE.npy", flag, argument);
  }
  return NamedFile{argument.substr(0, sign), argument.substr(sign + 1)};
}

std::string Names(const mil::Function& function, const std::vector<mil::ValueId>& ports) {
  std::vector<std::string_view> names;
  for (const mil::ValueId port : ports) names.push_back(function.value(port).id);
  return fmt::format("{}", fmt::join(names, ", "));
}

// Index of the port called `name`.
Result<size_t> FindPort(const mil::Function& function, const std::vector<mil::ValueId>& ports,
                        std::string_view flag, std::string_view name) {
  for (size_t i = 0; i < ports.size(); ++i) {
    if (function.value(ports[i]).id == name) return i;
  }
  return BadInput("{} {}: {} has no such value; there are {}", flag, name, function.name,
                  Names(function, ports));
}

// Floats fit floats, integers fit integers that can hold them, bools (or 0 and 1) bools.
Result<std::vector<double>> Elements(const NpyArray& array, const mil::Type& type) {
  if (array.shape != type.shape) {
    return BadInput("shape {}, the program wants {}", ShapeToString(array.shape),
                    mil::ToString(type));
  }
  if (IsFloat(array.dtype) != IsFloat(type.dtype)) {
    return BadInput("{} elements, the program wants {}", DTypeName(array.dtype),
                    mil::ToString(type));
  }
  const Numerics numerics(Precision::kExact);
  std::vector<double> values(static_cast<size_t>(array.elements()));
  for (size_t i = 0; i < values.size(); ++i) {
    values[i] = array.at(static_cast<int64_t>(i));
    if (!IsFloat(type.dtype) && numerics.Round(values[i], type.dtype) != values[i]) {
      return BadInput("element {} is {}, which {} does not hold", i, values[i],
                      DTypeName(type.dtype));
    }
  }
  return values;
}

Result<std::map<size_t, std::string>> InputFiles(const mil::Function& function,
                                                 const std::vector<std::string>& arguments) {
  std::map<size_t, std::string> files;
  for (const std::string& argument : arguments) {
    const auto named = SplitNamedFile("--input", argument);
    if (!named) return named.error();
    const auto index = FindPort(function, function.inputs, "--input", named->name);
    if (!index) return index.error();
    if (!files.emplace(*index, named->file).second) {
      return BadInput("--input {}: given twice", named->name);
    }
  }
  return files;
}

Result<std::vector<std::vector<double>>> ReadInputs(const mil::Function& function,
                                                    const MilRunFlags& flags) {
  const auto files = InputFiles(function, flags.inputs);
  if (!files) return files.error();
  std::vector<std::vector<double>> inputs(function.inputs.size());
  std::vector<std::string> missing;
  for (size_t i = 0; i < inputs.size(); ++i) {
    const mil::Value& port = function.value(function.inputs[i]);
    const auto file = files->find(i);
    if (file == files->end()) {
      if (flags.random) inputs[i] = inspect::RandomElements(port.type, 1.0, *flags.random, port.id);
      missing.push_back(fmt::format("{} {}", port.id, mil::ToString(port.type)));
      continue;
    }
    const auto array = ReadNpy(file->second);
    if (!array) return array.error();
    auto elements = Elements(*array, port.type);
    if (!elements) return elements.error().In(fmt::format("{}: input {}", file->second, port.id));
    inputs[i] = *std::move(elements);
  }
  if (missing.empty() || flags.random) return inputs;
  return BadInput("no --input NAME=FILE.npy for {} (--random SEED makes them up)",
                  fmt::join(missing, ", "));
}

}  // namespace

Result<MilRun> LoadMilRun(const MilRunFlags& flags) {
  auto file = ReadMilFile(flags.file);
  if (!file) return file.error();
  MilRun run{.file = *std::move(file)};
  auto program = SelectFunction(run.file.program, flags.function);
  if (!program) return program.error();
  if (Status status = mil::Verify(*program); !status) return status.error().In(flags.file);
  if (flags.random_weights) {
    run.program =
        inspect::WithRandomWeights(*std::move(program), flags.random.value_or(kDefaultSeed));
  } else {
    auto weights = LoadMilWeights(*program, flags.file, flags.weights, flags.lenient_blobs);
    if (!weights) return weights.error();
    run.weights = *std::move(weights);
    run.program = *std::move(program);
  }
  return run;
}

Result<MilRun> PrepareMilRun(const MilRunFlags& flags) {
  auto run = LoadMilRun(flags);
  if (!run) return run.error();
  auto inputs = ReadInputs(run->function(), flags);
  if (!inputs) return inputs.error();
  run->inputs = *std::move(inputs);
  return run;
}

Result<std::vector<std::pair<size_t, std::string>>> OutputFiles(
    const mil::Function& function, const std::vector<std::string>& arguments) {
  std::vector<std::pair<size_t, std::string>> files;
  std::set<size_t> outputs;
  std::set<std::string> paths;
  for (const std::string& argument : arguments) {
    const auto named = SplitNamedFile("--output", argument);
    if (!named) return named.error();
    const auto index = FindPort(function, function.outputs, "--output", named->name);
    if (!index) return index.error();
    if (!outputs.insert(*index).second) return BadInput("--output {}: given twice", named->name);
    if (!paths.insert(named->file).second) return BadInput("--output {}: given twice", named->file);
    const std::filesystem::path folder = std::filesystem::path(named->file).parent_path();
    std::error_code ignored;
    if (!folder.empty() && !std::filesystem::is_directory(folder, ignored)) {
      return BadInput("--output {}: there is no folder {}", argument, folder.string());
    }
    files.emplace_back(*index, named->file);
  }
  return files;
}

NpyArray ToNpy(const mil::Array& array, DType dtype) {
  NpyArray npy{dtype, array.type.shape,
               std::vector<std::byte>(array.data.size() * DTypeSize(dtype))};
  for (size_t i = 0; i < array.data.size(); ++i) {
    StoreElement(dtype, npy.bytes.data(), i, array.data[i]);
  }
  return npy;
}

std::string SummaryLine(std::string_view name, const mil::Array& array) {
  const inspect::TensorStats stats = inspect::StatsOf(array.data, array.type.dtype);
  std::string line = fmt::format("{:<16} {:<32} min {:<12.6g} max {:<12.6g} mean {:.6g}", name,
                                 mil::ToString(array.type), stats.min, stats.max, stats.mean);
  if (stats.infinities > 0) line += fmt::format("; {} infinite", stats.infinities);
  if (stats.nans > 0) line += fmt::format("; {} NaN", stats.nans);
  return line;
}

}  // namespace millwright::app
