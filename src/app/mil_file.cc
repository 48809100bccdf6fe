#include "app/mil_file.h"

#include <fmt/ranges.h>

#include <filesystem>

#include "base/read_file.h"
#include "mil/text.h"

namespace millwright::app {
namespace {

Status CheckBlob(const mil::Constant& constant, std::string_view id,
                 const mil::WeightStore& weights, bool lenient) {
  if (!constant.blob()) return {};
  const auto bytes = weights.Read(constant, lenient);
  if (bytes) return {};
  const bool malformed = !lenient && weights.Read(constant, /*lenient=*/true).ok();
  return bytes.error().In(fmt::format(
      "weights of '{}'{}", id, malformed ? " (--lenient-blobs reads malformed records)" : ""));
}

}  // namespace

Result<MilFile> ReadMilFile(const std::string& path) {
  auto text = ReadFile(path);
  if (!text) return text.error();
  auto program = mil::Parse(*text, path);
  if (!program) return program.error();
  return MilFile{path, *std::move(text), *std::move(program)};
}

Result<mil::Program> SelectFunction(const mil::Program& program, const std::string& name) {
  mil::Program selected = program;
  selected.functions.clear();
  std::vector<std::string_view> names;
  for (const mil::Function& function : program.functions) {
    names.push_back(function.name);
    if (name.empty() || function.name == name) {
      selected.functions.push_back(function);
      return selected;
    }
  }
  return BadInput("--function {}: there is no such function; the program has {}", name,
                  fmt::join(names, ", "));
}

Result<mil::WeightStore> LoadMilWeights(const mil::Program& program, const std::string& path,
                                        const std::string& folder, bool lenient) {
  const std::string beside = std::filesystem::path(path).parent_path().string();
  auto weights = mil::LoadWeights(program, !folder.empty()  ? folder
                                           : beside.empty() ? "."
                                                            : beside);
  if (!weights) return weights.error();
  for (const mil::Function& function : program.functions) {
    for (const mil::Operation& operation : function.operations) {
      const std::string& id = function.value(operation.outputs.front()).id;
      for (const mil::Attribute& attribute : operation.attributes) {
        const Status status = CheckBlob(attribute.value, id, *weights, lenient);
        if (!status) return status.error().In(path);
      }
      for (const mil::Argument& argument : operation.arguments) {
        const auto* literal = std::get_if<mil::Constant>(&argument.value);
        if (literal == nullptr) continue;
        const Status status = CheckBlob(*literal, id, *weights, lenient);
        if (!status) return status.error().In(path);
      }
    }
  }
  return weights;
}

}  // namespace millwright::app
