#include "tests/mil/shared_programs.h"

#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>

#include "mil/text.h"
#include "tests/shared_folder.h"

namespace millwright {
namespace {

std::filesystem::path PathOf(const std::string& program) {
  return *SharedFolder() / "mil" / (program + ".mil");
}

// Of the magnitude of a trained model, for every blob that the program names.
mil::WeightStore RandomWeights(const mil::Program& program) {
  mil::WeightStore store;
  for (const mil::Operation& operation : program.main().operations) {
    const mil::Constant* constant = operation.FindAttribute("val");
    if (constant == nullptr || !constant->blob()) continue;
    const mil::Type& type = constant->type();
    const std::vector<double> values =
        RandomHalves(type.elements(), 1.0 / 16, store.files().size() + 1);
    const mil::Constant stored = mil::Constant::Tensor(type, values);
    mil::BlobWriter writer;
    writer.Add(type.dtype, stored.bytes());
    store.Put(constant->blob()->path, std::move(writer).Finish());
  }
  return store;
}

}  // namespace

const std::vector<std::string>& SharedProgramNames() {
  static const std::vector<std::string> names = {
      "dynamic_stories110m/01_sdpaFwd",    "dynamic_stories110m/02_woFwd",
      "dynamic_stories110m/03_ffnFused",   "dynamic_stories110m/04_ffnBwdW2t",
      "dynamic_stories110m/05_ffnBwdW13t", "dynamic_stories110m/06_wotBwd",
      "dynamic_stories110m/07_sdpaBwd1",   "dynamic_stories110m/08_sdpaBwd2",
      "dynamic_stories110m/09_qBwd",       "dynamic_stories110m/10_kvBwd",
      "static_stories110m/classifierBwd",  "static_stories110m/classifierFwd",
      "static_stories110m/ffnBwd",         "static_stories110m/finalRmsnorm",
      "static_stories110m/fwdAttn",        "static_stories110m/fwdFFN",
      "static_stories110m/qkvBwd",         "static_stories110m/rmsnormBwd",
      "static_stories110m/sdpaBwd1",       "static_stories110m/sdpaBwd2",
      "static_stories110m/softmaxVocab"};
  return names;
}

std::vector<double> RandomHalves(int64_t count, double scale, uint64_t seed) {
  std::minstd_rand engine(static_cast<std::minstd_rand::result_type>(seed));
  std::vector<double> values(static_cast<size_t>(count));
  for (double& value : values) {
    const auto step = static_cast<double>(engine() % 2049) - 1024.0;
    value = step / 1024.0 * scale;
  }
  return values;
}

Result<mil::Program> LoadSharedProgram(const std::string& program) {
  std::ifstream file(PathOf(program));
  std::stringstream text;
  text << file.rdbuf();
  return mil::Parse(text.str(), program);
}

Result<mil::WeightStore> SharedProgramWeights(const mil::Program& program,
                                              const std::string& name) {
  if (name.starts_with("static")) return RandomWeights(program);
  return mil::LoadWeights(program, PathOf(name).parent_path().string());
}

}  // namespace millwright
