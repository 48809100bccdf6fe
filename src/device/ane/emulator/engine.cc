#include "device/ane/emulator/engine.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>
#include <set>

#include "base/numerics.h"
#include "base/read_file.h"
#include "device/ane/constraints.h"
#include "device/ane/emulator/machine.h"
#include "device/ane/port_order.h"
#include "device/reference/reference_device.h"
#include "mil/text.h"
#include "mil/verify.h"
#include "mil/weights.h"

namespace millwright::device::ane::emulator {
namespace {

// Rows in the engine's memory begin at multiples of this (fact B6).
constexpr size_t kRowBytes = 32;

// What the hardware gets wrong without a word: the compiler lets it pass, and running shows it.
constexpr std::array<std::string_view, 3> kSilent = {"B6", "E4", "E6"};

Error Refusal(const std::string& why) {
  return Failed("ANECCompile() FAILED: CompilationFailure/InvalidMILProgram ({})", why);
}

Status CheckDialect(std::string_view text, const Target& target) {
  if (!NeedsVerboseDialect(target) || text.find("program(1.0)") != std::string_view::npos)
    return {};
  return Refusal("this compiler reads program(1.0) only");
}

Status CheckForTarget(const mil::Program& program, const Target& target) {
  if (Status status = mil::Verify(program); !status) return Refusal(status.error().message);
  for (const Issue& issue : CheckConstraints(program, target)) {
    const bool silent = std::ranges::find(kSilent, issue.constraint) != kSilent.end();
    if (!issue.is_error() || silent) continue;
    return Refusal(fmt::format("{} {}: {}", issue.constraint, issue.where, issue.message));
  }
  return {};
}

// The engine's attention ignores the mask (fact E6).
void DropMasks(mil::Program* program) {
  for (mil::Function& function : program->functions) {
    for (mil::Operation& operation : function.operations) {
      if (operation.op != "scaled_dot_product_attention") continue;
      std::erase_if(operation.arguments,
                    [](const mil::Argument& argument) { return argument.key == "attn_mask"; });
    }
  }
}

// Where element `index` of a tensor of `type` lies in the engine's memory.
size_t Place(const mil::Type& type, size_t index) {
  const size_t size = DTypeSize(type.dtype);
  const size_t width = type.shape.empty() ? 1 : static_cast<size_t>(type.shape.back());
  const size_t row = width * size;
  const size_t stride = row % kRowBytes == 0 || type.shape.empty()
                            ? row
                            : (row + kRowBytes - 1) / kRowBytes * kRowBytes;
  return index / width * stride + index % width * size;
}

void Load(std::span<const std::byte> memory, Surface& surface, std::span<std::byte> to) {
  const SurfaceDesc& desc = surface.desc();
  const Numerics numerics(Precision::kAne);
  const auto count = static_cast<size_t>(desc.type.elements());
  for (size_t i = 0; i < count; ++i) {
    const size_t at = Place(desc.type, i);
    const bool inside = at + DTypeSize(desc.type.dtype) <= memory.size();
    const double value = inside ? LoadElement(desc.type.dtype, memory.data() + at, 0) : 0.0;
    StoreElement(desc.storage, to.data(), i, numerics.Round(value, desc.storage));
  }
}

void Store(std::span<const std::byte> from, const Surface& surface, std::span<std::byte> memory) {
  const SurfaceDesc& desc = surface.desc();
  const auto count = static_cast<size_t>(desc.type.elements());
  for (size_t i = 0; i < count; ++i) {
    const size_t at = Place(desc.type, i);
    if (at + DTypeSize(desc.type.dtype) > memory.size()) continue;
    StoreElement(desc.type.dtype, memory.data() + at, 0, LoadElement(desc.storage, from.data(), i));
  }
}

}  // namespace

Result<std::shared_ptr<EngineProgram>> EngineProgram::Compile(const std::string& mil_path) {
  const Target& target = Machine().target;
  auto text = ReadFile(mil_path);
  if (!text) return Refusal(text.error().message);
  if (Status status = CheckDialect(*text, target); !status) return status.error();
  auto program = mil::Parse(*text, "model.mil");
  if (!program) return Refusal(program.error().message);
  if (Status status = CheckForTarget(*program, target); !status) return status.error();
  const std::string folder = std::filesystem::path(mil_path).parent_path().string();
  auto weights = mil::LoadWeights(*program, folder);
  if (!weights) return Refusal(weights.error().message);
  std::shared_ptr<EngineProgram> result(new EngineProgram);
  for (const auto& [path, file] : weights->files()) result->weight_bytes_ += file.bytes.size();
  DropMasks(&*program);
  AneRules rules;
  rules.Set(AneRule::kSliceClamp, target.generation() <= 3);  // fact E4
  auto device = OpenReferenceDevice({.precision = Precision::kAne, .ane_rules = rules});
  if (!device) return device.error();
  result->device_ = *std::move(device);
  auto executable = result->device_->Compile(*program, *weights);
  if (!executable) return Refusal(executable.error().message);
  result->executable_ = *std::move(executable);
  result->function_ = program->main();
  result->input_order_ = PortOrder(result->function_, Side::kInputs, target);
  result->output_order_ = PortOrder(result->function_, Side::kOutputs, target);
  if (Status status = result->MakeSurfaces(); !status) return status.error();
  return result;
}

Status EngineProgram::MakeSurfaces() {
  std::vector<Surface*> inputs, outputs;
  const auto make = [&](mil::ValueId port, std::vector<Surface*>* side) -> Status {
    auto surface = device_->NewSurface(function_.value(port).type);
    if (!surface) return surface.error();
    side->push_back(surface->get());
    surfaces_.push_back(*std::move(surface));
    return {};
  };
  for (mil::ValueId port : function_.inputs) {
    if (Status status = make(port, &inputs); !status) return status;
  }
  for (mil::ValueId port : function_.outputs) {
    if (Status status = make(port, &outputs); !status) return status;
  }
  auto call = executable_->Bind(inputs, outputs);
  if (!call) return call.error();
  call_ = *std::move(call);
  return {};
}

Status EngineProgram::Run(std::span<const std::span<std::byte>> inputs,
                          std::span<const std::span<std::byte>> outputs) {
  const std::lock_guard lock(mutex_);
  for (size_t i = 0; i < inputs.size(); ++i) {
    auto mapping = surfaces_[i]->Map(Access::kWrite);
    if (!mapping) return mapping.error();
    Load(inputs[i], *surfaces_[i], mapping->bytes());
  }
  if (Status status = call_->Run(); !status) return status;
  for (size_t i = 0; i < outputs.size(); ++i) {
    Surface& surface = *surfaces_[inputs.size() + i];
    auto mapping = surface.Map(Access::kRead);
    if (!mapping) return mapping.error();
    Store(mapping->bytes(), surface, outputs[i]);
  }
  return {};
}

}  // namespace millwright::device::ane::emulator
