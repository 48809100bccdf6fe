#include "device/ane/stage.h"

#include <filesystem>

#include "base/atomic_file.h"

namespace millwright::device::ane {

Status StageFiles(const Source& source, const std::string& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) return Failed("{}: {}", folder, error.message());
  if (Status status = mil::SaveWeights(*source.weights, folder); !status) return status;
  return WriteFileAtomically(folder + "/model.mil", source.text);
}

void RemoveStaged(const std::string& folder) {
  std::error_code error;
  std::filesystem::remove_all(folder, error);
}

}  // namespace millwright::device::ane
