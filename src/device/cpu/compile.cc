#include <array>

#include "device/cpu/lowering.h"
#include "device/cpu/together.h"

namespace millwright::device::cpu {
namespace {

using Lower = Status (*)(Lowering&, int);

struct Family {
  std::string_view op;
  Lower lower;
};

constexpr std::array<Family, 17> kFamilies = {{{"reshape", LowerViewOperation},
                                               {"transpose", LowerViewOperation},
                                               {"expand_dims", LowerViewOperation},
                                               {"squeeze", LowerViewOperation},
                                               {"identity", LowerViewOperation},
                                               {"slice_by_size", LowerViewOperation},
                                               {"slice_by_index", LowerViewOperation},
                                               {"split", LowerViewOperation},
                                               {"tile", LowerViewOperation},
                                               {"concat", LowerConcat},
                                               {"softmax", LowerSoftmax},
                                               {"reduce_sum", LowerReduction},
                                               {"reduce_mean", LowerReduction},
                                               {"reduce_max", LowerReduction},
                                               {"matmul", LowerMatmul},
                                               {"linear", LowerLinear},
                                               {"conv", LowerConv}}};

// A slice that begins where the program says when it runs is no view.
bool SliceMoves(Lowering& lowering, const mil::Operation& op) {
  if (op.op != "slice_by_size") return false;
  const mil::Argument* begin = op.FindArgument("begin");
  const auto* value = begin == nullptr ? nullptr : std::get_if<mil::ValueId>(&begin->value);
  return value != nullptr && !lowering.state(*value).constant;
}

Lower FindFamily(Lowering& lowering, const mil::Operation& op) {
  if (SliceMoves(lowering, op)) return LowerGeneric;
  if (lowering.ane() && !IsPlainOnAne(lowering, op)) return LowerGeneric;
  for (const Family& family : kFamilies) {
    if (family.op == op.op) return family.lower;
  }
  if (IsIdentityCast(lowering, op)) return LowerViewOperation;
  return IsElementwise(lowering, op) ? LowerElementwise : LowerGeneric;
}

// Marks what is known at compile time: constants and everything computed from constants only.
void MarkConstants(Lowering& lowering) {
  for (const mil::Operation& op : lowering.function.operations) {
    bool constant = true;
    for (const mil::Argument& argument : op.arguments) {
      if (const auto* value = std::get_if<mil::ValueId>(&argument.value)) {
        constant = constant && lowering.state(*value).constant;
      } else if (const auto* many = std::get_if<std::vector<mil::ValueId>>(&argument.value)) {
        for (mil::ValueId v : *many) constant = constant && lowering.state(v).constant;
      }
    }
    for (mil::ValueId value : op.outputs) lowering.state(value).constant = constant;
  }
}

void BindInputs(Lowering& lowering) {
  const mil::Function& f = lowering.function;
  for (size_t i = 0; i < f.inputs.size(); ++i) {
    const mil::Type& type = lowering.type(f.inputs[i]);
    int buffer = -1;
    if (IsFloat(type.dtype) && !lowering.half_surfaces()) {
      buffer = lowering.plan.Add(BufferKind::kInput, i, type.elements());
    } else {
      buffer = lowering.plan.AddArena(type.elements());
      const DType storage = IsFloat(type.dtype) ? DType::kFp16 : type.dtype;
      lowering.Emit(MakeLoadSurfaceStep(i, storage, buffer, type.elements()));
    }
    lowering.Define(f.inputs[i], DenseView(buffer, type.shape));
  }
}

Status LowerOne(Lowering& lowering, int index) {
  const mil::Operation& op = lowering.op(index);
  if (op.op == "const" || lowering.group[static_cast<size_t>(index)] != index) return {};
  lowering.current = index;
  for (const AttentionPattern& pattern : lowering.attention) {
    if (pattern.root == index) return LowerAttention(lowering, pattern);
  }
  for (const AttentionBackwardPattern& pattern : lowering.attention_backward) {
    if (pattern.root == index) return LowerAttentionBackward(lowering, pattern);
  }
  const Lower lower = FindFamily(lowering, op);
  if (lowering.state(op.outputs[0]).constant && lower != LowerViewOperation) {
    return FoldOperation(lowering, index);
  }
  return lower(lowering, index);
}

// Moves every output that was not computed in place, and stores those that are not fp32.
Status StoreOutputs(Lowering& lowering) {
  const mil::Function& f = lowering.function;
  for (size_t i = 0; i < f.outputs.size(); ++i) {
    lowering.current = -1;
    const mil::Type& type = lowering.type(f.outputs[i]);
    const auto view = lowering.ViewOf(f.outputs[i]);
    if (!view) return view.error();
    if (!IsFloat(type.dtype) || lowering.half_surfaces()) {
      View dense = IsDense(*view) && view->offset == 0 ? *view : lowering.NewDense(type.shape);
      if (dense != *view) lowering.EmitCopy(*view, dense);
      const DType storage = IsFloat(type.dtype) ? DType::kFp16 : type.dtype;
      lowering.Emit(MakeStoreSurfaceStep(i, storage, dense.buffer, type.elements()));
      continue;
    }
    const Buffer* at = &lowering.plan.buffers[static_cast<size_t>(view->buffer)];
    const bool in_place =
        at->kind == BufferKind::kOutput && at->index == i && IsDense(*view) && view->offset == 0;
    if (in_place) continue;
    const int buffer = lowering.plan.Add(BufferKind::kOutput, i, type.elements());
    lowering.current = lowering.state(f.outputs[i]).definition;
    lowering.Fired(CompileRule::kCopyOutput);
    lowering.EmitCopy(*view, DenseView(buffer, type.shape));
  }
  return {};
}

// A constant that only a pattern was recognised by, such as a causal mask, needs no memory.
void DropUnusedConstants(Plan& plan) {
  std::vector<bool> used(plan.constants.size());
  for (const auto& step : plan.steps) {
    for (const int id : step->Buffers()) {
      const Buffer& buffer = plan.buffers[static_cast<size_t>(id)];
      if (buffer.kind == BufferKind::kConstant) used[buffer.index] = true;
    }
  }
  for (size_t i = 0; i < used.size(); ++i) {
    if (!used[i]) plan.constants[i] = {};
  }
}

}  // namespace

Result<Plan> CompileFunction(const mil::Function& function, const mil::WeightStore& weights,
                             const Numerics& numerics, math::GemmEngine& gemm, DType vector_weights,
                             Trace* trace) {
  Lowering lowering(function, weights, numerics, gemm);
  lowering.vector_weights = vector_weights;
  MarkConstants(lowering);
  if (!lowering.ane()) {
    MatchAttention(lowering);
    MatchAttentionBackward(lowering);
  }
  PlaceValues(lowering);
  if (!lowering.ane()) FuseElementwise(lowering);
  BindInputs(lowering);
  for (size_t i = 0; i < function.operations.size(); ++i) {
    if (Status status = LowerOne(lowering, static_cast<int>(i)); !status) return status.error();
  }
  if (Status status = StoreOutputs(lowering); !status) return status.error();
  DropUnusedConstants(lowering.plan);
  FindStepsTogether(lowering.plan);
  PlaceBuffers(lowering.plan);
  if (trace != nullptr) {
    lowering.trace.group = lowering.group;
    *trace = std::move(lowering.trace);
  }
  return std::move(lowering.plan);
}

}  // namespace millwright::device::cpu
