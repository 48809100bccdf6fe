#include "mil/ops/op.h"

#include <algorithm>

namespace millwright::mil {
namespace {

constexpr const OpDef* kOps[] = {
#define OP(name) &k_##name,
#include "mil/ops/ops.def"
#undef OP
    nullptr,
};

// Of at most 32 bits: a uint64 is an offset into a file, never a parameter.
bool IsInteger(DType dtype) {
  return !IsFloat(dtype) && dtype != DType::kBool && dtype != DType::kString &&
         dtype != DType::kUint64;
}

std::string_view KindName(ParamKind kind) {
  switch (kind) {
    case ParamKind::kTensor:
      return "one value";
    case ParamKind::kValues:
      return "a tuple of values";
    case ParamKind::kInt:
      return "an integer scalar";
    case ParamKind::kInts:
      return "a list of integers";
    case ParamKind::kBool:
      return "a bool";
    case ParamKind::kFloat:
      return "a float scalar";
    case ParamKind::kText:
      return "a string";
  }
  return "a value";
}

bool Fits(ParamKind kind, const CallArgument& argument) {
  if (kind == ParamKind::kValues) return argument.tuple && !argument.types.empty();
  if (argument.tuple) return false;
  const Type& type = argument.types.front();
  const size_t rank = type.shape.size();
  switch (kind) {
    case ParamKind::kInt:
      return rank == 0 && IsInteger(type.dtype);
    case ParamKind::kInts:
      return rank == 1 && IsInteger(type.dtype);
    case ParamKind::kBool:
      return rank == 0 && type.dtype == DType::kBool;
    case ParamKind::kFloat:
      return rank == 0 && IsFloat(type.dtype);
    case ParamKind::kText:
      return rank == 0 && type.dtype == DType::kString;
    default:
      return true;
  }
}

// Whether type rules read the value, and not only its type.
bool IsParameter(ParamKind kind) {
  return kind != ParamKind::kTensor && kind != ParamKind::kValues;
}

bool IsKnown(const CallArgument& argument) {
  return argument.text.has_value() || argument.arrays.front() != nullptr;
}

std::string Describe(const CallArgument& argument) {
  if (!argument.tuple) return ToString(argument.types.front());
  return fmt::format("a tuple of {}", argument.types.size());
}

// Collects the arguments of one operation, one after the other.
class CallMaker {
 public:
  CallMaker(const Function& function, const Operation& operation, std::span<const int> definitions)
      : function_(function), operation_(operation), definitions_(definitions) {}

  std::string_view id() const {
    if (operation_.outputs.empty()) return {};
    return function_.value(operation_.outputs.front()).id;
  }

  void Add(const Argument& argument) {
    CallArgument made{.key = argument.key};
    bool constant = true;
    if (const auto* literal = std::get_if<Constant>(&argument.value)) {
      AddConstant(*literal, &made);
    } else if (const auto* value = std::get_if<ValueId>(&argument.value)) {
      constant = AddValue(*value, &made);
    } else {
      made.tuple = true;
      for (ValueId element : std::get<std::vector<ValueId>>(argument.value)) {
        constant = AddValue(element, &made) && constant;
      }
    }
    Keep(std::move(made), constant);
  }

  void Add(const Attribute& attribute) {
    CallArgument made{.key = attribute.key};
    AddConstant(attribute.value, &made);
    Keep(std::move(made), true);
  }

  Result<Call> Finish(const OpDef& def) && {
    Call call(operation_.op, id(), std::move(arguments_), std::move(owned_));
    if (Status status = Check(call, def); !status) return status.error();
    return call;
  }

 private:
  void Keep(CallArgument made, bool constant) {
    keys_.push_back(made.key);
    constant_.push_back(constant);
    arguments_.push_back(std::move(made));
  }

  // Returns whether the value is known at compile time.
  bool AddValue(ValueId value, CallArgument* made) {
    const int index = definitions_[static_cast<size_t>(value)];
    const Operation* definition =
        index < 0 ? nullptr : &function_.operations[static_cast<size_t>(index)];
    if (definition != nullptr && definition->op == "const") {
      if (const Constant* constant = definition->FindAttribute("val")) {
        AddConstant(*constant, made);
        return true;
      }
    }
    made->types.push_back(function_.value(value).type);
    made->arrays.push_back(nullptr);
    return definition != nullptr && definition->op.starts_with("constexpr_");
  }

  void AddConstant(const Constant& constant, CallArgument* made) {
    made->types.push_back(constant.type());
    if (constant.blob()) {
      made->arrays.push_back(nullptr);
    } else if (constant.type().dtype == DType::kString) {
      made->text = constant.as_string();
      made->arrays.push_back(nullptr);
    } else {
      owned_.push_back(std::make_shared<const Array>(ToArray(constant)));
      made->arrays.push_back(owned_.back().get());
    }
  }

  Status Check(const Call& call, const OpDef& def) const {
    for (size_t i = 0; i < keys_.size(); ++i) {
      const std::string_view key = keys_[i];
      const auto param = std::find_if(def.params.begin(), def.params.end(),
                                      [&](const Param& p) { return p.name == key; });
      if (param == def.params.end()) return call.Bad("unknown argument '{}'", key);
      if (std::count(keys_.begin(), keys_.end(), key) > 1) {
        return call.Bad("argument '{}' is given twice", key);
      }
      const CallArgument& argument = *call.Find(key);
      if (!Fits(param->kind, argument)) {
        return call.Bad("argument '{}' must be {}, found {}", key, KindName(param->kind),
                        Describe(argument));
      }
      if (param->constant && !constant_[i]) {
        return call.Bad("argument '{}' must be a constant", key);
      }
      if (param->constant && IsParameter(param->kind) && !IsKnown(argument)) {
        return call.Bad("argument '{}' must be an immediate, not stored in a weight file", key);
      }
    }
    for (const Param& param : def.params) {
      if (param.required && !call.Has(param.name)) {
        return call.Bad("argument '{}' is missing", param.name);
      }
    }
    return {};
  }

  const Function& function_;
  const Operation& operation_;
  std::span<const int> definitions_;
  std::vector<std::string_view> keys_;
  std::vector<bool> constant_;
  std::vector<CallArgument> arguments_;
  std::vector<std::shared_ptr<const Array>> owned_;
};

}  // namespace

const CallArgument* Call::Find(std::string_view key) const {
  const auto it = std::find_if(arguments_.begin(), arguments_.end(),
                               [&](const CallArgument& argument) { return argument.key == key; });
  return it == arguments_.end() ? nullptr : &*it;
}

std::vector<int64_t> Call::Ints(std::string_view key, std::vector<int64_t> fallback) const {
  const CallArgument* argument = Find(key);
  if (argument == nullptr || argument->arrays.front() == nullptr) return fallback;
  const std::vector<double>& data = argument->arrays.front()->data;
  std::vector<int64_t> values(data.size());
  std::transform(data.begin(), data.end(), values.begin(),
                 [](double value) { return static_cast<int64_t>(value); });
  return values;
}

double Call::Float(std::string_view key, double fallback) const {
  const CallArgument* argument = Find(key);
  if (argument == nullptr || argument->arrays.front() == nullptr) return fallback;
  const std::vector<double>& data = argument->arrays.front()->data;
  return data.empty() ? fallback : data.front();
}

int64_t Call::Int(std::string_view key, int64_t fallback) const {
  return static_cast<int64_t>(Float(key, static_cast<double>(fallback)));
}

bool Call::Bool(std::string_view key, bool fallback) const {
  return Float(key, fallback ? 1.0 : 0.0) != 0.0;
}

std::string Call::Text(std::string_view key, std::string_view fallback) const {
  const CallArgument* argument = Find(key);
  return std::string(argument != nullptr && argument->text ? *argument->text : fallback);
}

std::span<const OpDef* const> AllOps() { return {kOps, std::size(kOps) - 1}; }

const OpDef* FindOp(std::string_view name) {
  const auto ops = AllOps();
  const auto it =
      std::find_if(ops.begin(), ops.end(), [&](const OpDef* def) { return def->name == name; });
  return it == ops.end() ? nullptr : *it;
}

std::vector<int> Definitions(const Function& function) {
  std::vector<int> definitions(function.values.size(), -1);
  for (size_t i = 0; i < function.operations.size(); ++i) {
    for (ValueId output : function.operations[i].outputs) {
      definitions[static_cast<size_t>(output)] = static_cast<int>(i);
    }
  }
  return definitions;
}

Result<Call> MakeCall(const Function& function, const Operation& operation) {
  return MakeCall(function, operation, Definitions(function));
}

Result<Call> MakeCall(const Function& function, const Operation& operation,
                      std::span<const int> definitions) {
  CallMaker maker(function, operation, definitions);
  const OpDef* def = FindOp(operation.op);
  if (def == nullptr) return BadInput("{} ({}): unknown operation", operation.op, maker.id());
  for (const Argument& argument : operation.arguments) maker.Add(argument);
  if (def->attributes_are_params) {
    for (const Attribute& attribute : operation.attributes) {
      if (attribute.key != "name") maker.Add(attribute);
    }
  }
  return std::move(maker).Finish(*def);
}

Array ToArray(const Constant& constant) {
  Array array{constant.type(), {}};
  if (constant.blob() || constant.type().dtype == DType::kString) return array;
  array.data.resize(static_cast<size_t>(constant.type().elements()));
  for (size_t i = 0; i < array.data.size(); ++i) array.data[i] = constant.at(i);
  return array;
}

}  // namespace millwright::mil
