#include "mil/package/package.h"

#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/atomic_file.h"
#include "base/folder.h"
#include "base/mapped_file.h"
#include "base/read_file.h"

namespace millwright::mil {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr const char* kManifest = "Manifest.json";
constexpr const char* kAuthor = "com.apple.CoreML";
constexpr const char* kModelFile = "com.apple.CoreML/model.mlmodel";
constexpr const char* kWeightFolder = "com.apple.CoreML/weights";
// Identifiers of items need only differ inside a package. They are fixed, so that the same program
// gives the same package.
constexpr const char* kModelId = "6d696c6c-7772-4967-8874-6d6f64656c00";
constexpr const char* kWeightsId = "6d696c6c-7772-4967-8874-776569676874";

std::string ManifestText(bool weights) {
  Json items = {{kModelId,
                 {{"author", kAuthor},
                  {"description", "CoreML Model Specification"},
                  {"name", "model.mlmodel"},
                  {"path", kModelFile}}}};
  if (weights) {
    items[kWeightsId] = {{"author", kAuthor},
                         {"description", "CoreML Model Weights"},
                         {"name", "weights"},
                         {"path", kWeightFolder}};
  }
  const Json manifest = {{"fileFormatVersion", "1.0.0"},
                         {"itemInfoEntries", std::move(items)},
                         {"rootModelIdentifier", kModelId}};
  return manifest.dump(2) + "\n";
}

Status MakeFolder(const std::string& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) return Failed("{}: cannot be created: {}", path, error.message());
  return {};
}

Status WriteFiles(const FolderWriter& folder, const EncodedPackage& package) {
  const std::string inner = folder.File("Data/com.apple.CoreML");
  if (auto status = MakeFolder(inner); !status) return status;
  if (auto status = WriteFileAtomically(inner + "/model.mlmodel", package.model); !status) {
    return status;
  }
  if (!package.weights.empty()) {
    const std::string weights = inner + "/weights";
    if (auto status = MakeFolder(weights); !status) return status;
    auto status = WriteFileAtomically(weights + "/weight.bin", package.weights);
    if (status) status = SyncFolder(weights);
    if (!status) return status;
  }
  if (auto status = SyncFolder(inner); !status) return status;
  if (auto status = SyncFolder(folder.File("Data")); !status) return status;
  return WriteFileAtomically(folder.File(kManifest), ManifestText(!package.weights.empty()));
}

// A string of an object, or nothing.
std::optional<std::string> Text(const Json& object, const char* key) {
  const auto it = object.is_object() ? object.find(key) : object.end();
  if (!object.is_object() || it == object.end() || !it->is_string()) return std::nullopt;
  return it->get<std::string>();
}

// The path of the model below Data/, from the manifest.
Result<std::string> ModelPath(const std::string& package) {
  const std::string manifest = package + "/" + kManifest;
  auto text = ReadFile(manifest);
  if (!text) return text.error();
  const Json json = Json::parse(*text, nullptr, /*allow_exceptions=*/false);
  const auto root = Text(json, "rootModelIdentifier");
  if (!root) return BadInput("{}: no 'rootModelIdentifier'", manifest);
  const auto items = json.find("itemInfoEntries");
  const bool listed = items != json.end() && items->is_object() && items->contains(*root);
  const auto path = listed ? Text((*items)[*root], "path") : std::nullopt;
  if (!path) return BadInput("{}: no item with a path for the root model {}", manifest, *root);
  for (const auto& part : fs::path(*path)) {
    if (part == ".." || part.is_absolute()) {
      return BadInput("{}: the path '{}' leaves the package", manifest, *path);
    }
  }
  return package + "/Data/" + *path;
}

}  // namespace

Result<WrittenPackage> WritePackage(const Program& program, const WeightStore& weights,
                                    const std::string& path, bool lenient_blobs) {
  std::string folder = path;
  while (folder.size() > 1 && folder.back() == '/') folder.pop_back();
  std::error_code error;
  if (fs::exists(fs::symlink_status(folder, error))) return BadInput("{}: exists", folder);
  if (const std::string parent = ParentFolder(folder); !fs::is_directory(parent, error)) {
    return BadInput("{}: there is no folder {}", folder, parent);
  }
  auto package = EncodePackage(program, weights, lenient_blobs);
  if (!package) return package.error();
  auto writer = FolderWriter::Create(folder);
  if (!writer) return writer.error();
  if (auto status = WriteFiles(*writer, *package); !status) return status.error();
  if (auto status = writer->Commit(); !status) return status.error();
  return WrittenPackage{.specification_version = package->specification_version,
                        .model_bytes = package->model.size(),
                        .weight_bytes = package->weights.size(),
                        .notes = std::move(package->notes)};
}

Result<ReadPackageResult> ReadPackage(const std::string& path) {
  std::error_code error;
  std::string file = path;
  if (fs::is_directory(path, error)) {
    auto model = ModelPath(path);
    if (!model) return model.error();
    file = *std::move(model);
  }
  const auto mapped = MappedFile::Open(file);
  if (!mapped) return mapped.error();
  auto program = DecodePackage((*mapped)->bytes());
  if (!program) return program.error().In(file);
  return ReadPackageResult{*std::move(program), ParentFolder(file)};
}

}  // namespace millwright::mil
