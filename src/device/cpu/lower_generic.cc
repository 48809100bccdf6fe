// Operations without a lowering of their own, and those whose operands are all constants.
#include "device/cpu/lowering.h"

namespace millwright::device::cpu {
namespace {

struct Arguments {
  std::vector<GenericArgument> list;
};

Status AddLiteral(Lowering& lowering, const mil::Constant& constant, GenericArgument& argument) {
  argument.types.push_back(constant.type());
  if (constant.type().dtype == DType::kString) {
    argument.text = constant.as_string();
    return {};
  }
  const auto bytes = lowering.weights.Read(constant, /*lenient=*/true);
  if (!bytes) return bytes.error();
  std::vector<double> elements(static_cast<size_t>(constant.type().elements()));
  for (size_t i = 0; i < elements.size(); ++i) {
    elements[i] = LoadElement(constant.type().dtype, bytes->data(), i);
  }
  argument.views.push_back(lowering.AddConstant(constant.type().shape, elements));
  return {};
}

Status AddValue(Lowering& lowering, mil::ValueId value, GenericArgument& argument) {
  const mil::Operation* definition = lowering.Definition(value);
  if (lowering.type(value).dtype == DType::kString && definition != nullptr) {
    return AddLiteral(lowering, *definition->FindAttribute("val"), argument);
  }
  const auto view = lowering.ViewOf(value);
  if (!view) return view.error();
  argument.types.push_back(lowering.type(value));
  argument.views.push_back(*view);
  return {};
}

Result<std::vector<GenericArgument>> ArgumentsOf(Lowering& lowering, const mil::Operation& op) {
  std::vector<GenericArgument> arguments;
  for (const mil::Argument& given : op.arguments) {
    GenericArgument& argument = arguments.emplace_back();
    argument.key = given.key;
    Status status;
    if (const auto* value = std::get_if<mil::ValueId>(&given.value)) {
      status = AddValue(lowering, *value, argument);
    } else if (const auto* constant = std::get_if<mil::Constant>(&given.value)) {
      status = AddLiteral(lowering, *constant, argument);
    } else {
      argument.tuple = true;
      for (mil::ValueId v : std::get<std::vector<mil::ValueId>>(given.value)) {
        if (status) status = AddValue(lowering, v, argument);
      }
    }
    if (!status) return status.error();
  }
  for (const mil::Attribute& attribute : op.attributes) {
    if (attribute.key == "name") continue;
    GenericArgument& argument = arguments.emplace_back();
    argument.key = attribute.key;
    if (Status status = AddLiteral(lowering, attribute.value, argument); !status) {
      return status.error();
    }
  }
  return arguments;
}

}  // namespace

Status LowerGeneric(Lowering& lowering, int index) {
  const mil::Operation& op = lowering.op(index);
  if (!lowering.state(op.outputs[0]).constant) lowering.Fired(CompileRule::kEvaluate);
  auto arguments = ArgumentsOf(lowering, op);
  if (!arguments) return arguments.error();
  std::vector<mil::Type> types;
  std::vector<View> outputs;
  for (mil::ValueId value : op.outputs) {
    types.push_back(lowering.type(value));
    outputs.push_back(lowering.Destination(value));
    lowering.Define(value, outputs.back());
  }
  lowering.Emit(MakeGenericStep(mil::FindOp(op.op), lowering.function.value(op.outputs[0]).id,
                                *std::move(arguments), std::move(types), std::move(outputs),
                                lowering.numerics));
  return {};
}

Status FoldOperation(Lowering& lowering, int index) {
  const mil::Operation& op = lowering.op(index);
  for (mil::ValueId value : op.outputs) {
    const Shape& shape = lowering.type(value).shape;
    const std::vector<double> zeros(static_cast<size_t>(NumElements(shape)), 0.0);
    lowering.state(value).placement = lowering.AddConstant(shape, zeros);
    lowering.state(value).placed_by = CompileRule::kFold;
  }
  const size_t first = lowering.plan.steps.size();
  if (Status status = LowerGeneric(lowering, index); !status) return status;
  std::vector<float*> buffers(lowering.plan.buffers.size(), nullptr);
  for (size_t i = 0; i < buffers.size(); ++i) {
    const Buffer& buffer = lowering.plan.buffers[i];
    if (buffer.kind == BufferKind::kConstant) {
      buffers[i] = lowering.plan.constants[buffer.index].data();
    }
  }
  const RunContext context{buffers, {}, {}, lowering.gemm};
  for (size_t i = first; i < lowering.plan.steps.size(); ++i) {
    if (Status status = lowering.plan.steps[i]->Run(context); !status) return status;
  }
  lowering.plan.steps.resize(first);
  lowering.trace.owners.resize(first);
  lowering.Fired(CompileRule::kFold);
  for (mil::ValueId value : op.outputs) lowering.state(value).placement.reset();
  return {};
}

}  // namespace millwright::device::cpu
