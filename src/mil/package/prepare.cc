#include "mil/package/prepare.h"

#include <algorithm>
#include <charconv>
#include <set>
#include <string_view>
#include <utility>

#include "mil/ops/op.h"

namespace millwright::mil {
namespace {

constexpr int kFirstWithFp16Ports = 16;
constexpr int kFirstWithSmallIntegers = 17;
constexpr int kFirstWithSeveralFunctions = 18;

// What Core ML carries instead of `dtype` at a port, and from which opset on a cast turns the one
// into the other.
struct PortRule {
  DType dtype;
  DType carried;
  int since;
};
constexpr PortRule kPortRules[] = {{DType::kFp16, DType::kFp32, 15},
                                   {DType::kBool, DType::kFp32, 15},
                                   {DType::kInt8, DType::kInt32, kFirstWithSmallIntegers},
                                   {DType::kUint8, DType::kInt32, kFirstWithSmallIntegers},
                                   {DType::kInt16, DType::kInt32, kFirstWithSmallIntegers},
                                   {DType::kUint16, DType::kInt32, kFirstWithSmallIntegers}};

bool IsCarried(DType dtype, int opset) {
  return dtype == DType::kFp32 || dtype == DType::kInt32 ||
         (dtype == DType::kFp16 && opset >= kFirstWithFp16Ports);
}

// The type that a port of `dtype` gets; `dtype` itself where it is carried.
Result<DType> CarriedType(std::string_view port, DType dtype, int opset) {
  if (IsCarried(dtype, opset)) return dtype;
  const auto* const rule = std::find_if(std::begin(kPortRules), std::end(kPortRules),
                                        [&](const PortRule& r) { return r.dtype == dtype; });
  if (rule == std::end(kPortRules)) {
    return BadInput("port '{}' is {}; Core ML's ports are fp16, fp32 and int32", port,
                    DTypeName(dtype));
  }
  if (opset < rule->since) {
    return BadInput("port '{}' is {}, which Core ML has from ios{} on; the function has ios{}",
                    port, DTypeName(dtype), rule->since, opset);
  }
  return rule->carried;
}

// Rewrites one function.
class FunctionPreparer {
 public:
  FunctionPreparer(const Function& function, std::vector<std::string>* notes)
      : function_(function), opset_(OpsetNumber(function.opset)), notes_(*notes) {
    for (const Value& value : function.values) taken_.insert(value.id);
  }

  Result<Function> Run() && {
    old_operations_ = std::exchange(function_.operations, {});
    definitions_.assign(function_.values.size(), -1);
    for (size_t i = 0; i < old_operations_.size(); ++i) {
      for (ValueId output : old_operations_[i].outputs) {
        definitions_[static_cast<size_t>(output)] = static_cast<int>(i);
      }
    }
    if (Status status = CastInputs(); !status) return status.error().In(function_.name);
    for (const Operation& operation : old_operations_) Append(operation);
    if (Status status = CastOutputs(); !status) return status.error().In(function_.name);
    NameOperations();
    return std::move(function_);
  }

 private:
  std::string Fresh(const std::string& wish) {
    std::string id = wish;
    for (int suffix = 1; !taken_.insert(id).second; ++suffix) {
      id = fmt::format("{}_{}", wish, suffix);
    }
    return id;
  }

  ValueId NewValue(const std::string& wish, Type type) {
    function_.values.push_back({Fresh(wish), std::move(type)});
    return static_cast<ValueId>(function_.values.size()) - 1;
  }

  ValueId EmitConst(const std::string& wish, Constant constant) {
    const ValueId value = NewValue(wish, constant.type());
    function_.operations.push_back({"const", {}, {{"val", std::move(constant)}}, {value}});
    return value;
  }

  void EmitCast(ValueId from, ValueId to) {
    const Value target = function_.value(to);
    const std::string dtype(DTypeName(target.type.dtype));
    const ValueId name = EmitConst(target.id + "_dtype", Constant::String(dtype));
    function_.operations.push_back({"cast", {{"x", from}, {"dtype", name}}, {}, {to}});
  }

  Status CastInputs() {
    for (ValueId input : function_.inputs) {
      Value& port = function_.values[static_cast<size_t>(input)];
      if (port.type.shape.empty()) {
        return BadInput("input '{}' has rank 0; Core ML's inputs have rank 1 to 5", port.id);
      }
      const auto carried = CarriedType(port.id, port.type.dtype, opset_);
      if (!carried) return carried.error();
      if (*carried == port.type.dtype) continue;
      const Type wanted = port.type;
      notes_.push_back(fmt::format("{}: input {} is {} to Core ML, cast to {}", function_.name,
                                   port.id, DTypeName(*carried), DTypeName(wanted.dtype)));
      port.type.dtype = *carried;
      const ValueId cast = NewValue(fmt::format("{}_{}", port.id, DTypeName(wanted.dtype)), wanted);
      EmitCast(input, cast);
      replaced_.emplace_back(input, cast);
    }
    return {};
  }

  ValueId Replaced(ValueId value) const {
    const auto it = std::find_if(replaced_.begin(), replaced_.end(),
                                 [&](const auto& pair) { return pair.first == value; });
    return it == replaced_.end() ? value : it->second;
  }

  // The constant that defines `value`, or null.
  const Constant* ConstantOf(ValueId value) const {
    if (static_cast<size_t>(value) >= definitions_.size()) return nullptr;
    const int definition = definitions_[static_cast<size_t>(value)];
    if (definition < 0) return nullptr;
    const Operation& operation = old_operations_[static_cast<size_t>(definition)];
    return operation.op == "const" ? operation.FindAttribute("val") : nullptr;
  }

  void Append(Operation operation) {
    if (operation.op.starts_with("constexpr_")) {
      InlineParameters(&operation);
    } else {
      for (Argument& argument : operation.arguments) PrepareArgument(operation, &argument);
    }
    function_.operations.push_back(std::move(operation));
  }

  void PrepareArgument(const Operation& operation, Argument* argument) {
    if (auto* value = std::get_if<ValueId>(&argument->value)) {
      *value = Replaced(*value);
    } else if (auto* values = std::get_if<std::vector<ValueId>>(&argument->value)) {
      for (ValueId& element : *values) element = Replaced(element);
    } else {
      const std::string wish =
          fmt::format("{}_{}", function_.value(operation.outputs.front()).id, argument->key);
      argument->value = EmitConst(wish, std::get<Constant>(std::move(argument->value)));
    }
  }

  // constexpr operations hold their constants themselves.
  void InlineParameters(Operation* operation) const {
    for (Argument& argument : operation->arguments) {
      const auto* value = std::get_if<ValueId>(&argument.value);
      const Constant* constant = value == nullptr ? nullptr : ConstantOf(*value);
      if (constant != nullptr) argument.value = *constant;
    }
    if (!FindOp(operation->op)->attributes_are_params) return;
    for (Argument& argument : std::exchange(operation->arguments, {})) {
      if (auto* literal = std::get_if<Constant>(&argument.value)) {
        operation->attributes.push_back({argument.key, std::move(*literal)});
      } else {
        operation->arguments.push_back(std::move(argument));
      }
    }
  }

  // An output that is an input, under a name of its own.
  void CopyInput(ValueId* output) {
    const std::string id = function_.value(*output).id;
    const ValueId source = Replaced(*output);
    *output = NewValue(id + "_out", function_.value(source).type);
    function_.operations.push_back({"identity", {{"x", source}}, {}, {*output}});
    notes_.push_back(fmt::format("{}: output {} is an input; its copy is {}", function_.name, id,
                                 function_.value(*output).id));
  }

  Status CastOutputs() {
    for (ValueId& output : function_.outputs) {
      if (std::ranges::find(function_.inputs, output) != function_.inputs.end()) CopyInput(&output);
      const Value port = function_.value(output);
      const auto carried = CarriedType(port.id, port.type.dtype, opset_);
      if (!carried) return carried.error();
      if (*carried == port.type.dtype) continue;
      notes_.push_back(fmt::format("{}: output {} is {} to Core ML, cast from {}", function_.name,
                                   port.id, DTypeName(*carried), DTypeName(port.type.dtype)));
      // The port's identifier goes to the result of the cast.
      function_.values[static_cast<size_t>(output)].id =
          Fresh(fmt::format("{}_{}", port.id, DTypeName(port.type.dtype)));
      function_.values.push_back({port.id, {*carried, port.type.shape}});
      const auto cast = static_cast<ValueId>(function_.values.size()) - 1;
      EmitCast(output, cast);
      output = cast;
    }
    return {};
  }

  void NameOperations() {
    std::set<std::string> names;
    for (const Operation& operation : function_.operations) {
      if (const Constant* name = operation.FindAttribute("name")) names.insert(name->as_string());
    }
    for (Operation& operation : function_.operations) {
      if (operation.FindAttribute("name") != nullptr) continue;
      const std::string& id = function_.value(operation.outputs.front()).id;
      std::string name = id;
      for (int suffix = 1; !names.insert(name).second; ++suffix) {
        name = fmt::format("{}_{}", id, suffix);
      }
      operation.attributes.insert(operation.attributes.begin(), {"name", Constant::String(name)});
    }
  }

  Function function_;
  int opset_;
  std::vector<std::string>& notes_;
  std::vector<Operation> old_operations_;
  std::vector<int> definitions_;
  std::set<std::string> taken_;
  std::vector<std::pair<ValueId, ValueId>> replaced_;  // an input, and what it is cast to
};

void DropAnnotations(std::string_view of, std::vector<Annotation>* annotations,
                     std::vector<std::string>* notes) {
  for (const Annotation& annotation : *annotations) {
    notes->push_back(fmt::format("{}: attribute {} is not carried over", of, annotation.key));
  }
  annotations->clear();
}

}  // namespace

int OpsetNumber(const std::string& opset) {
  constexpr std::string_view kPrefix = "ios";
  int number = 0;
  if (!opset.starts_with(kPrefix)) return 0;
  const char* end = opset.data() + opset.size();
  const auto [rest, error] = std::from_chars(opset.data() + kPrefix.size(), end, number);
  return rest == end && error == std::errc() ? number : 0;
}

Result<Prepared> PrepareForCoreMl(const Program& program) {
  Prepared prepared{program, {}};
  DropAnnotations("the program", &prepared.program.annotations, &prepared.notes);
  for (Function& function : prepared.program.functions) {
    if (program.functions.size() > 1 && OpsetNumber(function.opset) < kFirstWithSeveralFunctions) {
      return BadInput("{}: a program of {} functions needs opset ios{}, the function has {}",
                      function.name, program.functions.size(), kFirstWithSeveralFunctions,
                      function.opset);
    }
    DropAnnotations(function.name, &function.annotations, &prepared.notes);
    auto rewritten = FunctionPreparer(function, &prepared.notes).Run();
    if (!rewritten) return rewritten.error();
    function = *std::move(rewritten);
  }
  return prepared;
}

}  // namespace millwright::mil
