#include "device/ane/e5_path.h"

#include <stdlib.h>

#include <filesystem>

#include "device/ane/compile_budget.h"
#include "device/ane/e5_buffer.h"
#include "device/ane/e5_program.h"
#include "device/ane/stage.h"

namespace millwright::device::ane {
namespace {

class E5Path final : public Path {
 public:
  E5Path(std::shared_ptr<const Api> api, std::string folder, int compile_budget)
      : api_(std::move(api)), folder_(std::move(folder)), compile_budget_(compile_budget) {}
  E5Path(const E5Path&) = delete;
  E5Path& operator=(const E5Path&) = delete;
  ~E5Path() override { RemoveStaged(folder_); }

  Result<std::shared_ptr<LoadedProgram>> Compile(const Source& source) override {
    if (Status status = SpendCompilation(compile_budget_); !status) return status.error();
    const std::string staged = fmt::format("{}/program-{}", folder_, programs_++);
    auto program = Compile(source, staged);
    // The compiled bundle lies in the cache; weights are part of it.
    RemoveStaged(staged);
    return program;
  }

  Result<std::unique_ptr<Memory>> Allocate(size_t bytes) override {
    return E5Buffer::Create(api_, bytes);
  }

  bool wants_equal_sizes() const override { return false; }

 private:
  Result<std::shared_ptr<LoadedProgram>> Compile(const Source& source, const std::string& staged) {
    if (Status status = StageFiles(source, staged); !status) return status.error();
    return CompileE5(api_, *source.function, staged + "/model.mil", folder_ + "/cache");
  }

  std::shared_ptr<const Api> api_;
  std::string folder_;  // of this object; removed with it
  int compile_budget_;
  int programs_ = 0;
};

}  // namespace

Result<std::shared_ptr<Path>> MakeE5Path(std::shared_ptr<const Api> api, int compile_budget) {
  std::error_code error;
  const auto temporary = std::filesystem::temp_directory_path(error);
  std::string folder = (temporary / "millwright-e5-XXXXXX").string();
  if (error || ::mkdtemp(folder.data()) == nullptr) {
    return Failed("device ane: no temporary folder like {}", folder);
  }
  return std::shared_ptr<Path>(
      std::make_shared<E5Path>(std::move(api), std::move(folder), compile_budget));
}

}  // namespace millwright::device::ane
