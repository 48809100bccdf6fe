#include "device/cpu/lowering.h"

#include <algorithm>
#include <cstring>

#include "math/convert.h"

namespace millwright::device::cpu {
namespace {

void AddUsers(Lowering& lowering) {
  const mil::Function& f = lowering.function;
  const auto use = [&](mil::ValueId value, int user) {
    std::vector<int>& users = lowering.state(value).users;
    if (users.empty() || users.back() != user) users.push_back(user);
  };
  for (size_t i = 0; i < f.operations.size(); ++i) {
    for (const mil::Argument& argument : f.operations[i].arguments) {
      if (const auto* value = std::get_if<mil::ValueId>(&argument.value)) {
        use(*value, static_cast<int>(i));
      } else if (const auto* many = std::get_if<std::vector<mil::ValueId>>(&argument.value)) {
        for (mil::ValueId v : *many) use(v, static_cast<int>(i));
      }
    }
  }
  for (mil::ValueId value : f.outputs) use(value, static_cast<int>(f.operations.size()));
}

Result<AlignedBuffer<float>> LoadConstant(const mil::Constant& constant,
                                          const mil::WeightStore& weights) {
  // The files of public programs carry malformed records; the program's types say what is meant.
  const auto bytes = weights.Read(constant, /*lenient=*/true);
  if (!bytes) return bytes.error();
  const mil::Type& type = constant.type();
  const size_t count = static_cast<size_t>(type.elements());
  AlignedBuffer<float> floats(count);
  if (type.dtype == DType::kFp16) {
    math::ConvertToFloat(static_cast<int64_t>(count), reinterpret_cast<const Fp16*>(bytes->data()),
                         floats.data());
  } else if (type.dtype == DType::kFp32) {
    std::memcpy(floats.data(), bytes->data(), count * sizeof(float));
  } else {
    for (size_t i = 0; i < count; ++i) {
      floats[i] = static_cast<float>(LoadElement(type.dtype, bytes->data(), i));
    }
  }
  return floats;
}

}  // namespace

Lowering::Lowering(const mil::Function& f, const mil::WeightStore& w, const Numerics& rules,
                   math::GemmEngine& engine)
    : function(f),
      weights(w),
      numerics(rules),
      gemm(engine),
      values(f.values.size()),
      definitions(mil::Definitions(f)) {
  for (size_t i = 0; i < values.size(); ++i) values[i].definition = definitions[i];
  for (size_t i = 0; i < f.operations.size(); ++i) group.push_back(static_cast<int>(i));
  trace.rules.resize(f.operations.size());
  AddUsers(*this);
}

const mil::Operation* Lowering::Definition(mil::ValueId value) const {
  const int index = definitions[static_cast<size_t>(value)];
  return index < 0 ? nullptr : &op(index);
}

bool Lowering::IsAttention(int index) const {
  const auto at = [&](const auto& pattern) { return pattern.root == index; };
  return std::any_of(attention.begin(), attention.end(), at) ||
         std::any_of(attention_backward.begin(), attention_backward.end(), at);
}

const ProductSum* Lowering::SumOf(int index) const {
  for (const ProductSum& sum : sums) {
    if (std::find(sum.products.begin(), sum.products.end(), index) != sum.products.end()) {
      return &sum;
    }
  }
  return nullptr;
}

mil::ValueId Lowering::ArgumentValue(const mil::Operation& operation, std::string_view key) const {
  const mil::Argument* argument = operation.FindArgument(key);
  if (argument == nullptr) return -1;
  const auto* value = std::get_if<mil::ValueId>(&argument->value);
  return value == nullptr ? -1 : *value;
}

Result<View> Lowering::ViewOf(mil::ValueId value) {
  ValueState& s = state(value);
  if (s.view) return *s.view;
  const mil::Operation* definition = Definition(value);
  if (definition == nullptr || definition->op != "const") {
    return Failed("{}: used before it is lowered", function.value(value).id);
  }
  auto floats = LoadConstant(*definition->FindAttribute("val"), weights);
  if (!floats) return floats.error().In(function.value(value).id);
  plan.constants.push_back(*std::move(floats));
  const int buffer =
      plan.Add(BufferKind::kConstant, plan.constants.size() - 1, type(value).elements());
  s.view = DenseView(buffer, type(value).shape);
  return *s.view;
}

Result<View> Lowering::ArgumentView(const mil::Operation& operation, std::string_view key) {
  const mil::Argument* argument = operation.FindArgument(key);
  if (const auto* value = std::get_if<mil::ValueId>(&argument->value)) return ViewOf(*value);
  auto floats = LoadConstant(std::get<mil::Constant>(argument->value), weights);
  if (!floats) return floats.error().In(key);
  const mil::Type& t = std::get<mil::Constant>(argument->value).type();
  plan.constants.push_back(*std::move(floats));
  return DenseView(plan.Add(BufferKind::kConstant, plan.constants.size() - 1, t.elements()),
                   t.shape);
}

bool Lowering::IsConstantBuffer(int buffer) const {
  return plan.buffers[static_cast<size_t>(buffer)].kind == BufferKind::kConstant;
}

std::vector<double> Lowering::ConstantElements(const View& view) const {
  std::vector<double> elements(static_cast<size_t>(view.elements()));
  const Buffer& buffer = plan.buffers[static_cast<size_t>(view.buffer)];
  GatherView(view, plan.constants[buffer.index].data(), elements.data());
  return elements;
}

Result<std::optional<double>> Lowering::ConstantScalar(mil::ValueId value) {
  if (!state(value).constant || type(value).elements() != 1) return std::optional<double>();
  const auto view = ViewOf(value);
  if (!view) return view.error();
  return std::optional<double>(ConstantElements(*view)[0]);
}

View Lowering::AddConstant(const Shape& shape, std::span<const double> elements) {
  AlignedBuffer<float> floats(elements.size());
  for (size_t i = 0; i < elements.size(); ++i) floats[i] = static_cast<float>(elements[i]);
  plan.constants.push_back(std::move(floats));
  return DenseView(plan.Add(BufferKind::kConstant, plan.constants.size() - 1,
                            static_cast<int64_t>(elements.size())),
                   shape);
}

View Lowering::NewDense(const Shape& shape) {
  return DenseView(plan.AddArena(NumElements(shape)), shape);
}

View Lowering::NewLike(const View& layout) {
  View view = CompactLike(layout);
  view.buffer = plan.AddArena(view.elements());
  return view;
}

void Lowering::Fired(CompileRule rule, int index) {
  if (index < 0) return;
  auto& rules = trace.rules[static_cast<size_t>(index)];
  if (std::find(rules.begin(), rules.end(), rule) == rules.end()) rules.push_back(rule);
}

View Lowering::Destination(mil::ValueId value) {
  const ValueState& s = state(value);
  if (s.placement) {
    Fired(s.placed_by);
    return *s.placement;
  }
  if (!s.hint) return NewDense(type(value).shape);
  View view = NewLike(*s.hint);
  if (!IsDense(view)) Fired(CompileRule::kFollowLayout);
  return view;
}

void Lowering::EmitCopy(const View& from, const View& to) {
  const View views[] = {from, to};
  auto nest = MakeLoopNest(views, 1);
  if (!nest) {
    Emit(MakeScatterStep(from, to));
    return;
  }
  const VectorProgram program{1, 2, {{VectorOp::kCopy, 1, {0}, {}, {}}}, {1}};
  Emit(MakeElementwiseStep("copy", program, *std::move(nest)));
}

void Lowering::EmitElementwise(std::string label, VectorProgram program,
                               std::vector<View> operands) {
  const size_t inputs = static_cast<size_t>(program.inputs);
  if (auto nest = MakeLoopNest(operands, inputs)) {
    Emit(MakeElementwiseStep(std::move(label), std::move(program), *std::move(nest)));
    return;
  }
  // Two operands cut an axis differently. Dense copies fit anything.
  Fired(CompileRule::kCopyOperands);
  for (size_t i = 0; i < inputs; ++i) operands[i] = DenseCopy(operands[i]);
  const std::vector<View> wanted(operands.begin() + static_cast<int64_t>(inputs), operands.end());
  for (size_t i = inputs + 1; i < operands.size(); ++i) operands[i] = NewDense(operands[i].shape());
  Emit(MakeElementwiseStep(std::move(label), std::move(program), *MakeLoopNest(operands, inputs)));
  for (size_t i = 1; i < wanted.size(); ++i) EmitCopy(operands[inputs + i], wanted[i]);
}

void Lowering::EmitRounding(mil::ValueId value) {
  if (!half() || type(value).dtype != DType::kFp16) return;
  const View& view = *state(value).view;
  const VectorProgram program{1, 2, {{VectorOp::kRoundFp16, 1, {0}, {}, {}}}, {1}};
  EmitElementwise("round", program, {view, view});
}

View Lowering::DenseCopy(const View& view) {
  if (IsDense(view)) return view;
  if (IsConstantBuffer(view.buffer)) return AddConstant(view.shape(), ConstantElements(view));
  View dense = NewDense(view.shape());
  EmitCopy(view, dense);
  return dense;
}

void Lowering::Define(mil::ValueId value, View view) {
  ValueState& s = state(value);
  s.view = std::move(view);
}

}  // namespace millwright::device::cpu
