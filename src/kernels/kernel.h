// The kernels: what goes in, what comes out, the program, and the formula it must agree with.
//
// A kernel is written once, in terms of named operands. Where an operand comes from (its own input,
// a part of one packed surface, a weight blob) is the binding's business: see layout.h and
// emitter.h.
#pragma once

#include <complex>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "kernels/layout.h"
#include "kernels/offload.h"
#include "mil/program.h"
#include "mil/weights.h"
#include "model/config.h"
#include "model/lora.h"

namespace millwright::kernels {

// Where weights come from.
enum class Binding {
  kPacked,    // activations and weights side by side in one input surface; outputs in one surface
  kConstant,  // weights baked in as blobs: a new program after every update
  kSeparate,  // every operand its own input and output
};
std::string_view BindingName(Binding binding);

enum class KernelId {
#define KERNEL(Id, name) k##Id,
#include "kernels/kernels.def"
#undef KERNEL
};

// What a generator must know of the device; filled by runtime from the device's caps.
struct Target {
  DType dtype = DType::kFp32;
  bool fused_attention_backward = false;  // sdpaBwd1 does all of attention's backward
  int64_t width_multiple = 1;             // packed surfaces are padded to this width (fact B6)
  int64_t max_width = 0;                  // of a packed surface (fact B2); 0: any
  bool width_slices = true;               // slices of the last axis may begin anywhere (fact E4)
  bool split_inputs = false;              // kPacked is written as kSeparate (fact A29)
  bool rotary_by_matrix = false;          // rotary embedding as a product (facts A29, E8)
  bool narrow_factors = true;             // a factor may be broadcast along the last axis (fact E8)
};

struct KernelSpec {
  model::ModelConfig config;
  Binding binding = Binding::kSeparate;
  Target target;
  double residual_alpha = 1.0;  // x_next = x2 + residual_alpha * ffn
  int64_t batch = 1;            // sequences, one after the other in an activation's columns
  int64_t cache = 0;            // past positions that sdpaCached attends to; 0: it is not needed
  model::LoraConfig lora;       // adapters beside the projections: see adapters.h
  Offload offload;              // what has kernels besides

  int64_t columns() const { return batch * config.seq; }  // of an activation
};

// A matrix that a kernel reads or writes: an activation [channels, batch * seq], a score matrix
// [heads * seq, batch * seq], keys or values by head [kv_heads * positions, head_dim], or a weight
// as stored in a checkpoint, [out, in] (a norm weight: [1, n]).
struct Operand {
  std::string name;
  int64_t rows = 0, columns = 0;
  bool weight = false;
  // Binding kPacked: the surface holds the transpose, so that its rows are the surface's channels.
  bool packed_transposed = false;
  model::LoraPart part = model::LoraPart::kNone;  // of a weight's adapter
};

struct Operands {
  std::vector<Operand> inputs, outputs;
  const Operand* Find(std::string_view name) const;
};

// A generated program and how its surfaces are laid out.
struct KernelProgram {
  std::string name;
  mil::Program program;
  mil::WeightStore constants;         // mask and rotary tables
  std::vector<Port> inputs, outputs;  // in the order of the function's inputs and outputs
  std::vector<WeightBlob> blobs;      // binding kConstant: the files the caller must supply
};

template <class T>
using OperandValues = std::map<std::string, std::vector<T>, std::less<>>;

class Emitter;

struct KernelDef {
  KernelId id;
  std::string_view name;
  std::string_view doc;
  // The operands, in the order of the program's ports. Empty outputs: the kernel is not needed (a
  // target with fused attention backward has no sdpaBwd2, training no sdpaCached, and those of
  // offload.h are only there where they are asked for).
  Operands (*operands)(const KernelSpec& spec);
  void (*emit)(const KernelSpec& spec, Emitter& emitter);
  // The outputs by definition, in plain loops: reads the inputs in `values`, adds the outputs. The
  // templates live in formula.h; complex numbers are for differentiation by complex step.
  void (*formula)(const KernelSpec& spec, OperandValues<double>& values);
  void (*formula_complex)(const KernelSpec& spec, OperandValues<std::complex<double>>& values);
};

#define KERNEL(Id, name) extern const KernelDef k##Id;
#include "kernels/kernels.def"
#undef KERNEL

std::span<const KernelDef* const> AllKernels();
// The ten of every training step: all but sdpaCached, which only generation launches, and those of
// offload.h.
std::span<const KernelDef* const> TrainingKernels();
const KernelDef& Get(KernelId id);
#define KERNEL(Id, name) +1
inline constexpr size_t kKernelCount = 0
#include "kernels/kernels.def"
    ;
#undef KERNEL

// Generates the program of a kernel. Errors name the kernel and what its config makes impossible.
Result<KernelProgram> Generate(const KernelDef& kernel, const KernelSpec& spec);

// Work of one launch, read off the program: multiply-adds of matmuls and convs times two, and the
// bytes of all surfaces and blobs at the target's dtype.
struct KernelCost {
  double flops = 0;
  double bytes = 0;
};
KernelCost CostOf(const KernelProgram& program);

}  // namespace millwright::kernels
