#include "kernels/kernel.h"

#include <array>

#include "kernels/emitter.h"

namespace millwright::kernels {

std::string_view BindingName(Binding binding) {
  switch (binding) {
    case Binding::kPacked:
      return "packed";
    case Binding::kConstant:
      return "constant";
    case Binding::kSeparate:
      break;
  }
  return "separate";
}

const Operand* Operands::Find(std::string_view name) const {
  for (const auto* list : {&inputs, &outputs}) {
    for (const Operand& operand : *list) {
      if (operand.name == name) return &operand;
    }
  }
  return nullptr;
}

std::span<const KernelDef* const> AllKernels() {
  static constexpr std::array kKernels = {
#define KERNEL(Id, name) &k##Id,
#include "kernels/kernels.def"
#undef KERNEL
  };
  return kKernels;
}

std::span<const KernelDef* const> TrainingKernels() {
  return AllKernels().first(static_cast<size_t>(KernelId::kSdpaCached));
}

const KernelDef& Get(KernelId id) { return *AllKernels()[static_cast<size_t>(id)]; }

Result<KernelProgram> Generate(const KernelDef& kernel, const KernelSpec& spec) {
  auto valid = model::Validate(spec.config);
  if (!valid) return valid.error().In(fmt::format("kernel {}", kernel.name));
  Operands operands = kernel.operands(spec);
  if (operands.outputs.empty()) {
    return Failed("kernel {}: not needed for this target and purpose", kernel.name);
  }
  KernelSpec written = spec;
  if (spec.binding == Binding::kPacked && spec.target.split_inputs) {
    written.binding = Binding::kSeparate;
  }
  Emitter emitter(written, std::move(operands));
  kernel.emit(written, emitter);
  return std::move(emitter).Finish(kernel.name);
}

}  // namespace millwright::kernels
