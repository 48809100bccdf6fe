// LoRA inside the kernels: adapters are operands like any other weight, so that they change without
// compiling anew.
#pragma once

#include <string>
#include <string_view>

#include "kernels/kernel.h"

namespace millwright::kernels {

// The operand that holds a part of the adapter of weight operand `weight`: "wq_a" [rank, in],
// "wq_b" [out, rank].
std::string AdapterName(std::string_view weight, model::LoraPart part);

// The weight that an operand is or belongs to: "wq" for "wq", "wq_a" and "wq_b".
std::string_view BaseWeight(const Operand& operand);

// `operands` and, at the end of its inputs, the adapters of those weights that spec.lora adapts.
Operands WithAdapters(const KernelSpec& spec, Operands operands);

}  // namespace millwright::kernels
