#include "device/ane/ane_device.h"

#include "device/ane/ane_surface.h"
#include "device/ane/capability.h"
#include "device/ane/compile_budget.h"
#include "device/ane/constraints.h"
#include "device/ane/e5_path.h"
#include "device/ane/executable.h"
#include "device/ane/in_memory_path.h"
#include "device/host_surface.h"
#include "mil/text.h"
#include "mil/verify.h"

namespace millwright::device {
namespace {

using ane::AneSurface;

class AneDevice final : public Device {
 public:
  AneDevice(std::shared_ptr<const ane::Api> api, ane::Machine machine,
            std::shared_ptr<ane::Path> path, int compile_budget)
      : api_(std::move(api)), machine_(std::move(machine)), path_(std::move(path)) {
    ane::FillCaps(machine_.target, &caps_);
    caps_.dtype = caps_.storage = DType::kFp16;
    caps_.compile_budget = compile_budget;
    caps_.asynchronous = true;
  }

  std::string_view name() const override { return "ane"; }
  const Caps& caps() const override { return caps_; }
  int64_t compilations() const override { return ane::CompilationsOfProcess(); }
  std::vector<std::string> Describe() const override {
    return ane::CapabilityReport(machine_, *api_);
  }

  std::vector<Issue> Check(const mil::Program& program) const override {
    if (const Status status = mil::Verify(program); !status) {
      return {{.constraint = "verify", .where = "", .message = status.error().message}};
    }
    return ane::CheckConstraints(program, machine_.target);
  }

  Result<std::unique_ptr<Executable>> Compile(const mil::Program& program,
                                              const mil::WeightStore& weights) override {
    for (const Issue& issue : Check(program)) {
      if (!issue.is_error()) continue;
      return BadInput("{} {}: {}", issue.constraint, issue.where, issue.message);
    }
    const bool verbose = ane::NeedsVerboseDialect(machine_.target);
    auto loaded =
        path_->Compile({.function = &program.main(),
                        .text = verbose ? mil::PrintVerbose(program) : mil::Print(program),
                        .weights = &weights});
    if (!loaded) return loaded.error();
    return ane::MakeExecutable(path_, *std::move(loaded), program.main());
  }

  Result<std::unique_ptr<Surface>> NewSurface(const mil::Type& type) override {
    const Result<DType> storage = HostStorage(type, type.dtype);
    if (!storage) return storage.error();
    return AneSurface::Create(path_, {type, *storage});
  }

  Result<std::unique_ptr<Surface>> WrapHost(const mil::Type& type, std::span<std::byte>) override {
    return BadInput("surface {}: device ane cannot wrap memory of the host", mil::ToString(type));
  }

 private:
  std::shared_ptr<const ane::Api> api_;
  ane::Machine machine_;
  Caps caps_;
  std::shared_ptr<ane::Path> path_;
};

}  // namespace

Result<std::unique_ptr<Device>> OpenAneDevice(const DeviceOptions& options) {
  if (options.precision != Precision::kAne) {
    return BadInput("--precision {}: device ane computes in its own, ane",
                    PrecisionName(options.precision));
  }
  if (options.vector_weights != DType::kFp32) {
    return BadInput("--weights {}: only the cpu device has it", DTypeName(options.vector_weights));
  }
  if (options.ane_rules != AneRules()) {
    return BadInput("--ane-rules {}: the arithmetic of device ane cannot be switched",
                    ToString(options.ane_rules));
  }
  auto api = ane::Api::Load(options.ane);
  if (!api) return api.error();
  if (Status status = (*api)->RequireAll(); !status) return status.error();
  auto machine = ane::FindMachine(**api);
  if (!machine) return machine.error();
  const int budget =
      options.ane.compile_budget > 0 ? options.ane.compile_budget : ane::kSafeCompilations;
  auto path = options.ane.path == AnePath::kE5rt
                  ? ane::MakeE5Path(*api, budget)
                  : Result(ane::MakeInMemoryPath(*api, machine->target, budget));
  if (!path) return path.error();
  return std::unique_ptr<Device>(
      new AneDevice(*std::move(api), *std::move(machine), *std::move(path), budget));
}

}  // namespace millwright::device
