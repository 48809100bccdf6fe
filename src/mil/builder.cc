#include "mil/builder.h"

#include <algorithm>
#include <array>
#include <limits>

#include "mil/ops/op.h"
#include "mil/verify.h"

namespace millwright::mil {
namespace {

// Words of the language, and names that the ANE compiler mistakes for operations (fact A14). Inputs
// and renamed values keep the name that the caller gave.
bool IsReserved(std::string_view name) {
  constexpr std::array<std::string_view, 13> kWords = {"program", "func", "tensor", "dict", "true",
                                                       "false",   "inf",  "nan",    "var",  "diff",
                                                       "mean",    "std",  "eps"};
  return std::find(kWords.begin(), kWords.end(), name) != kWords.end() ||
         DTypeFromName(name).has_value() || FindOp(name) != nullptr;
}

bool IsIdentifierCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

// `hint` as an identifier.
std::string Sanitize(std::string_view hint) {
  std::string name(hint);
  for (char& c : name) {
    if (!IsIdentifierCharacter(c)) c = '_';
  }
  if (name.empty() || (name[0] >= '0' && name[0] <= '9')) name.insert(name.begin(), '_');
  return name;
}

std::string ConstantKey(const Constant& constant) {
  std::string key = ToString(constant.type()) + ":";
  const auto bytes = constant.bytes();
  key.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  return key;
}

std::string WeightPath(std::string_view file) {
  return fmt::format("@model_path/weights/{}", file);
}

Attribute NameAttribute(const std::string& id) { return {"name", Constant::String(id)}; }

}  // namespace

Builder::Builder(std::string opset) { function_.opset = std::move(opset); }

bool Builder::Known(ValueId value) const {
  return value >= 0 && static_cast<size_t>(value) < function_.values.size();
}

void Builder::Fail(Error error) {
  if (status_) status_ = std::move(error);
}

std::string Builder::Fresh(std::string_view hint) {
  const std::string base = Sanitize(hint);
  std::string name = base;
  while (taken_.contains(name) || IsReserved(name)) {
    name = fmt::format("{}_{}", base, ++suffixes_[base]);
  }
  return name;
}

ValueId Builder::NewValue(std::string_view hint, Type type, bool input) {
  const auto value = static_cast<ValueId>(function_.values.size());
  const std::string name = input ? std::string(hint) : Fresh(hint);
  taken_.emplace(name, value);
  function_.values.push_back({name, std::move(type)});
  definitions_.push_back(input ? -1 : static_cast<int>(function_.operations.size()));
  return value;
}

ValueId Builder::Input(std::string_view id, Type type) {
  if (taken_.contains(id)) Fail(BadInput("input '{}': the name is taken", id));
  const ValueId value = NewValue(id, std::move(type), true);
  function_.inputs.push_back(value);
  return value;
}

void Builder::AppendConst(ValueId value, Constant constant) {
  function_.operations.push_back({"const", {}, {{"val", std::move(constant)}}, {value}});
}

ValueId Builder::Const(Constant value, std::string_view hint) {
  const bool shared = !value.blob().has_value();
  const std::string key = shared ? ConstantKey(value) : std::string();
  if (shared) {
    const auto it = constants_.find(key);
    if (it != constants_.end()) return it->second;
  }
  const ValueId id = NewValue(hint, value.type(), false);
  AppendConst(id, std::move(value));
  if (shared) constants_.emplace(key, id);
  return id;
}

ValueId Builder::Ints(std::initializer_list<int64_t> values) {
  return Ints(std::vector<int64_t>(values));
}

ValueId Builder::Ints(const std::vector<int64_t>& values) {
  for (int64_t value : values) {
    if (value < std::numeric_limits<int32_t>::min() ||
        value > std::numeric_limits<int32_t>::max()) {
      Fail(BadInput("constant {} does not fit int32", value));
    }
  }
  return Const(Constant::Ints(values), "list");
}

ValueId Builder::Int(int64_t value) {
  if (value < std::numeric_limits<int32_t>::min() || value > std::numeric_limits<int32_t>::max()) {
    Fail(BadInput("constant {} does not fit int32", value));
  }
  return Const(Constant::Scalar(DType::kInt32, static_cast<double>(value)), "int");
}

ValueId Builder::Bool(bool value) { return Const(Constant::Bool(value), value ? "yes" : "no"); }

ValueId Builder::Float(DType dtype, double value) {
  return Const(Constant::Scalar(dtype, value), "scalar");
}

ValueId Builder::Text(std::string_view value) {
  return Const(Constant::String(std::string(value)), "text");
}

Status Builder::CheckWeights(std::string_view file, const Type& type) const {
  if (file.empty() || file.find("..") != std::string_view::npos || file.front() == '/') {
    return BadInput("weights '{}': not a plain relative file name", file);
  }
  if (!BlobDTypeCode(type.dtype)) {
    return BadInput("weights '{}': a weight file cannot hold {}", file, DTypeName(type.dtype));
  }
  return {};
}

ValueId Builder::Weights(std::string_view file, Type type, const std::vector<double>& values) {
  const std::string path = WeightPath(file);
  const ValueId id = NewValue(file.substr(0, file.find('.')), type, false);
  Status status = CheckWeights(file, type);
  if (status && static_cast<int64_t>(values.size()) != type.elements()) {
    status = BadInput("weights '{}': {} wants {} elements, found {}", file, ToString(type),
                      type.elements(), values.size());
  }
  if (status && ports_.contains(path)) {
    status = BadInput("weights '{}': the file's bytes are supplied by the caller", file);
  }
  uint64_t offset = 64;
  if (status) {
    offset = writers_[path].Add(type.dtype, Constant::Tensor(type, values).bytes());
  } else {
    Fail(status.error());
  }
  AppendConst(id, Constant::Blob(std::move(type), {path, offset}));
  return id;
}

ValueId Builder::WeightsRef(std::string_view file, Type type) {
  const std::string path = WeightPath(file);
  const auto it = ports_.find(path);
  if (it != ports_.end() && it->second.type == type) return it->second.value;
  if (Status status = CheckWeights(file, type); !status) Fail(status.error());
  if (writers_.contains(path)) {
    Fail(BadInput("weights '{}': the file's bytes are already given", file));
  }
  if (it != ports_.end()) {
    Fail(BadInput("weights '{}': used as {} and as {}", file, ToString(it->second.type),
                  ToString(type)));
  }
  const ValueId id = NewValue(file.substr(0, file.find('.')), type, false);
  ports_.emplace(path, Port{type, id});
  AppendConst(id, Constant::Blob(std::move(type), {path, 64}));
  return id;
}

Result<Type> Builder::Infer(const Operation& operation) const {
  const auto call = MakeCall(function_, operation, definitions_);
  if (!call) return call.error();
  const auto types = FindOp(operation.op)->infer(*call);
  if (!types) return types.error();
  if (types->size() != 1) return call->Bad("one result expected, it has {}", types->size());
  return types->front();
}

ValueId Builder::Op(std::string_view op, std::string_view id, std::vector<Arg> arguments) {
  Operation operation{std::string(op), {}, {}, {}};
  for (Arg& arg : arguments) {
    for (ValueId value : arg.values) {
      if (!Known(value)) {
        Fail(BadInput("{} ({}): argument '{}' is not a value of this function", op, id, arg.key));
      }
    }
    Argument argument{std::string(arg.key), arg.values.empty() ? ValueId{-1} : arg.values.front()};
    if (arg.tuple) argument.value = std::move(arg.values);
    operation.arguments.push_back(std::move(argument));
  }
  const ValueId result = NewValue(id, Type{}, false);
  operation.outputs = {result};
  // After a mistake the types mean nothing; nothing more is inferred.
  if (status_) {
    const auto type = Infer(operation);
    if (type) {
      function_.values[static_cast<size_t>(result)].type = *type;
    } else {
      Fail(type.error());
    }
  }
  function_.operations.push_back(std::move(operation));
  return result;
}

ValueId Builder::Matmul(std::string_view id, ValueId x, ValueId y, bool transpose_x,
                        bool transpose_y) {
  return Op(
      "matmul", id,
      {{"transpose_x", Bool(transpose_x)}, {"transpose_y", Bool(transpose_y)}, {"x", x}, {"y", y}});
}

ValueId Builder::Add(std::string_view id, ValueId x, ValueId y) {
  return Op("add", id, {{"x", x}, {"y", y}});
}

ValueId Builder::Sub(std::string_view id, ValueId x, ValueId y) {
  return Op("sub", id, {{"x", x}, {"y", y}});
}

ValueId Builder::Mul(std::string_view id, ValueId x, ValueId y) {
  return Op("mul", id, {{"x", x}, {"y", y}});
}

ValueId Builder::Reshape(std::string_view id, ValueId x, const Shape& shape) {
  return Op("reshape", id, {{"shape", Ints(shape)}, {"x", x}});
}

ValueId Builder::Transpose(std::string_view id, ValueId x, const std::vector<int64_t>& perm) {
  return Op("transpose", id, {{"perm", Ints(perm)}, {"x", x}});
}

ValueId Builder::Slice(std::string_view id, ValueId x, const Shape& begin, const Shape& size) {
  return Op("slice_by_size", id, {{"x", x}, {"begin", Ints(begin)}, {"size", Ints(size)}});
}

ValueId Builder::Concat(std::string_view id, const std::vector<ValueId>& values, int64_t axis) {
  return Op("concat", id, {{"axis", Int(axis)}, {"interleave", Bool(false)}, {"values", values}});
}

ValueId Builder::ReduceSum(std::string_view id, ValueId x, int64_t axis) {
  return Op("reduce_sum", id, {{"x", x}, {"axes", Ints({axis})}, {"keep_dims", Bool(true)}});
}

ValueId Builder::Softmax(std::string_view id, ValueId x, int64_t axis) {
  return Op("softmax", id, {{"axis", Int(axis)}, {"x", x}});
}

void Builder::Rename(ValueId value, std::string_view id) {
  if (!Known(value)) return Fail(BadInput("rename to '{}': not a value of this function", id));
  std::string& name = function_.values[static_cast<size_t>(value)].id;
  if (name == id) return;
  const auto holder = taken_.find(id);
  if (holder != taken_.end()) {
    const ValueId other = holder->second;
    if (definitions_[static_cast<size_t>(other)] < 0) {
      return Fail(BadInput("rename '{}' to '{}': an input has that name", name, id));
    }
    // The inner value gives way.
    const std::string moved = Fresh(id);
    function_.values[static_cast<size_t>(other)].id = moved;
    taken_.erase(holder);
    taken_.emplace(moved, other);
  }
  taken_.erase(name);
  name = id;
  taken_.emplace(name, value);
}

Result<Builder::Built> Builder::Finish(const std::vector<ValueId>& outputs) && {
  for (ValueId output : outputs) {
    if (!Known(output)) Fail(BadInput("output {}: not a value of this function", output));
  }
  if (!status_) return status_.error();
  function_.outputs = outputs;
  for (Operation& operation : function_.operations) {
    const std::string& id = function_.value(operation.outputs.front()).id;
    operation.attributes.insert(operation.attributes.begin(), NameAttribute(id));
  }
  Built built;
  built.program.build_info = DefaultBuildInfo();
  built.program.functions.push_back(std::move(function_));
  for (auto& [path, writer] : writers_) built.weights.Put(path, std::move(writer).Finish());
  if (Status status = Verify(built.program); !status) return status.error();
  return built;
}

}  // namespace millwright::mil
