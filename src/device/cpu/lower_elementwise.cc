#include <algorithm>
#include <array>
#include <map>

#include "device/cpu/lowering.h"

namespace millwright::device::cpu {
namespace {

struct Mapping {
  std::string_view name;
  VectorOp op;
};

constexpr std::array<Mapping, 17> kMappings = {{{"add", VectorOp::kAdd},
                                                {"sub", VectorOp::kSub},
                                                {"mul", VectorOp::kMul},
                                                {"real_div", VectorOp::kDiv},
                                                {"maximum", VectorOp::kMaximum},
                                                {"minimum", VectorOp::kMinimum},
                                                {"pow", VectorOp::kPow},
                                                {"sqrt", VectorOp::kSqrt},
                                                {"rsqrt", VectorOp::kRsqrt},
                                                {"exp", VectorOp::kExp},
                                                {"log", VectorOp::kLog},
                                                {"sigmoid", VectorOp::kSigmoid},
                                                {"silu", VectorOp::kSilu},
                                                {"tanh", VectorOp::kTanh},
                                                {"relu", VectorOp::kRelu},
                                                {"select", VectorOp::kSelect},
                                                {"cast", VectorOp::kCopy}}};

std::optional<VectorOp> FindVectorOp(std::string_view name) {
  for (const Mapping& mapping : kMappings) {
    if (mapping.name == name) return mapping.op;
  }
  return std::nullopt;
}

// Inputs are numbered from here until their count is known.
constexpr int kInputBase = 1 << 20;

class GroupBuilder {
 public:
  GroupBuilder(Lowering& lowering, int root, const Shape& shape)
      : lowering_(lowering), root_(root), shape_(shape) {}

  // The register (or number) that holds `value`.
  Result<Operand> Evaluate(mil::ValueId value) {
    if (const auto it = known_.find(value); it != known_.end()) return it->second;
    const int definition = lowering_.state(value).definition;
    const bool inside = definition >= 0 && !lowering_.state(value).constant &&
                        lowering_.group[static_cast<size_t>(definition)] == root_ &&
                        IsElementwise(lowering_, lowering_.op(definition));
    auto operand = inside ? Compute(definition) : Load(value);
    if (operand) known_[value] = *operand;
    return operand;
  }

  Operand Add(VectorOp op, Operand a, Operand b = {}, Operand c = {}) {
    code_.push_back({op, temporaries_, a, b, c});
    return {temporaries_++, 0};
  }

  GroupProgram Finish(const std::vector<Operand>& outputs, std::vector<mil::ValueId> results) && {
    GroupProgram group;
    VectorProgram& p = group.program;
    p.inputs = static_cast<int>(inputs_.size());
    p.registers = p.inputs + temporaries_;
    const auto renumber = [&](int reg) {
      if (reg < 0) return reg;
      return reg >= kInputBase ? reg - kInputBase : reg + p.inputs;
    };
    for (Instruction& step : code_) {
      step.to = renumber(step.to);
      for (Operand* x : {&step.a, &step.b, &step.c}) x->reg = renumber(x->reg);
    }
    p.code = std::move(code_);
    for (const Operand& output : outputs) p.outputs.push_back(renumber(output.reg));
    AllocateRegisters(p);
    group.inputs = std::move(inputs_);
    group.results = std::move(results);
    return group;
  }

 private:
  Result<Operand> Load(mil::ValueId value) {
    const auto scalar = lowering_.ConstantScalar(value);
    if (!scalar) return scalar.error();
    if (*scalar) return Operand{-1, static_cast<float>(**scalar)};
    const auto view = lowering_.ViewOf(value);
    if (!view) return view.error();
    return AddInput(*view);
  }

  Operand AddInput(const View& view) {
    inputs_.push_back(BroadcastView(view, shape_));
    return {kInputBase + static_cast<int>(inputs_.size()) - 1, 0};
  }

  Result<Operand> Argument(const mil::Operation& op, std::string_view key) {
    const mil::ValueId value = lowering_.ArgumentValue(op, key);
    if (value >= 0) return Evaluate(value);
    const auto view = lowering_.ArgumentView(op, key);
    if (!view) return view.error();
    if (view->elements() == 1) {
      return Operand{-1, static_cast<float>(lowering_.ConstantElements(*view)[0])};
    }
    return AddInput(*view);
  }

  Result<Operand> Compute(int index) {
    const mil::Operation& op = lowering_.op(index);
    VectorOp code = *FindVectorOp(op.op);
    if (code == VectorOp::kSelect) return Select(op);
    const auto a = Argument(op, "x");
    if (!a) return a.error();
    if (op.op == "cast") return Add(CastOp(op), *a);
    if (code == VectorOp::kRsqrt || code == VectorOp::kLog) {
      const auto call = lowering_.CallOf(index);
      if (!call) return call.error();
      const double epsilon = call->Float("epsilon", code == VectorOp::kRsqrt ? 1e-12 : 1e-45);
      return Add(code, *a, {-1, static_cast<float>(epsilon)});
    }
    if (VectorOpArity(code) == 1) return Add(code, *a);
    const auto b = Argument(op, "y");
    if (!b) return b.error();
    return code == VectorOp::kPow ? Power(*a, *b) : Add(code, *a, *b);
  }

  Result<Operand> Select(const mil::Operation& op) {
    const auto condition = Argument(op, "cond");
    if (!condition) return condition.error();
    const auto a = Argument(op, "a");
    if (!a) return a.error();
    const auto b = Argument(op, "b");
    if (!b) return b.error();
    return Add(VectorOp::kSelect, *condition, *a, *b);
  }

  Operand Power(Operand x, Operand y) {
    if (y.reg < 0 && y.value == 2.0f) return Add(VectorOp::kSquare, x);
    if (y.reg < 0 && y.value == 1.0f) return Add(VectorOp::kCopy, x);
    if (y.reg < 0 && y.value == 0.5f) return Add(VectorOp::kSqrt, x);
    if (y.reg < 0 && y.value == -0.5f) return Add(VectorOp::kRsqrt, x, {-1, 0.0f});
    if (y.reg < 0 && y.value == -1.0f) return Add(VectorOp::kDiv, {-1, 1.0f}, x);
    return Add(VectorOp::kPow, x, y);
  }

  VectorOp CastOp(const mil::Operation& op) const {
    const DType to = lowering_.type(op.outputs[0]).dtype;
    if (to == DType::kBool) return VectorOp::kNotZero;
    if (to == DType::kFp16 && lowering_.half()) return VectorOp::kRoundFp16;
    return IsFloat(to) ? VectorOp::kCopy : VectorOp::kTruncate;
  }

  Lowering& lowering_;
  int root_;
  Shape shape_;
  std::map<mil::ValueId, Operand> known_;
  std::vector<View> inputs_;
  std::vector<Instruction> code_;
  int temporaries_ = 0;
};

// The group's values that something outside of it reads, and the root's result.
std::vector<mil::ValueId> GroupResults(const Lowering& lowering, int root) {
  std::vector<mil::ValueId> results = {lowering.op(root).outputs[0]};
  for (int i = 0; i < root; ++i) {
    if (lowering.group[static_cast<size_t>(i)] != root) continue;
    const mil::ValueId value = lowering.op(i).outputs[0];
    const ValueState& state = lowering.values[static_cast<size_t>(value)];
    if (std::any_of(state.users.begin(), state.users.end(), [&](int user) { return user > root; }))
      results.push_back(value);
  }
  return results;
}

// A constant whose rows lie across those of `like` (a table for a transposed activation): laid out
// anew at compile time, in the order in which the loops will read it.
View AlignedConstant(Lowering& lowering, const View& constant, const View& like) {
  if (!lowering.IsConstantBuffer(constant.buffer)) return constant;
  View used = constant;  // without the axes along which the constant is repeated
  View layout = like;
  for (size_t i = 0; i < used.axes.size(); ++i) {
    const bool repeated = std::all_of(used.axes[i].begin(), used.axes[i].end(),
                                      [](const Dim& dim) { return dim.stride == 0; });
    if (!repeated) continue;
    used.axes[i].clear();
    layout.axes[i].clear();
  }
  layout = CompactLike(layout);
  if (layout.axes == CompactLike(used).axes) return constant;
  const std::vector<double> elements = lowering.ConstantElements(used);
  lowering.Fired(CompileRule::kAlignConstant);
  View aligned = lowering.AddConstant(used.shape(), elements);
  aligned.axes = layout.axes;
  const size_t index = lowering.plan.buffers[static_cast<size_t>(aligned.buffer)].index;
  ScatterView(aligned, elements.data(), lowering.plan.constants[index].data());
  return BroadcastView(aligned, constant.shape());
}

}  // namespace

bool IsElementwise(const Lowering& lowering, const mil::Operation& operation) {
  if (!FindVectorOp(operation.op) || IsIdentityCast(lowering, operation)) return false;
  // Integer arithmetic is exact only through the evaluator.
  return operation.op == "cast" || IsFloat(lowering.type(operation.outputs[0]).dtype);
}

Result<GroupProgram> BuildGroup(Lowering& lowering, int root,
                                const std::vector<mil::ValueId>& results, const Shape& shape) {
  GroupBuilder builder(lowering, root, shape);
  std::vector<Operand> outputs;
  for (mil::ValueId value : results) {
    const auto operand = builder.Evaluate(value);
    if (!operand) return operand.error();
    outputs.push_back(*operand);
  }
  // Numbers and inputs cannot be results themselves; halves are rounded where they are stored.
  for (size_t i = 0; i < results.size(); ++i) {
    const bool round = lowering.half() && lowering.type(results[i]).dtype == DType::kFp16;
    if (round) outputs[i] = builder.Add(VectorOp::kRoundFp16, outputs[i]);
    const bool owned = outputs[i].reg >= 0 && outputs[i].reg < kInputBase;
    const bool twice = std::any_of(outputs.begin(), outputs.begin() + static_cast<int64_t>(i),
                                   [&](const Operand& o) { return o.reg == outputs[i].reg; });
    if (!owned || twice) outputs[i] = builder.Add(VectorOp::kCopy, outputs[i]);
  }
  return std::move(builder).Finish(outputs, results);
}

Status LowerElementwise(Lowering& lowering, int index) {
  const std::vector<mil::ValueId> results = GroupResults(lowering, index);
  auto group = BuildGroup(lowering, index, results, lowering.type(results[0]).shape);
  if (!group) return group.error();
  if (results.size() > 1) lowering.Fired(CompileRule::kKeepResults);
  std::vector<View> operands = std::move(group->inputs);
  const size_t inputs = operands.size();
  for (mil::ValueId value : results) {
    const View to = lowering.Destination(value);
    operands.push_back(to);
    lowering.Define(value, to);
  }
  for (size_t i = 0; i < inputs; ++i) {
    operands[i] = AlignedConstant(lowering, operands[i], operands[inputs]);
  }
  lowering.EmitElementwise("elementwise", std::move(group->program), std::move(operands));
  return {};
}

}  // namespace millwright::device::cpu
