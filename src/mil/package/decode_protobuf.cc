#include <algorithm>
#include <charconv>
#include <cstring>
#include <limits>
#include <map>
#include <set>
#include <utility>

#include "mil/ops/op.h"
#include "mil/package/package.h"
#include "mil/package/spec_types.h"
#include "mil/verify.h"

namespace millwright::mil {
namespace {

constexpr int64_t kMostDimensions = 16;
constexpr const char* kProgramVersion = "1.3";  // of the text: the format has another counter

// "tensor", "list", ...: for messages.
const char* KindName(const coreml::ValueType& type) {
  switch (type.type_case()) {
    case coreml::ValueType::kTensorType:
      return "a tensor";
    case coreml::ValueType::kListType:
      return "a list";
    case coreml::ValueType::kTupleType:
      return "a tuple";
    case coreml::ValueType::kDictionaryType:
      return "a dictionary";
    case coreml::ValueType::kStateType:
      return "a state";
    case coreml::ValueType::TYPE_NOT_SET:
      break;
  }
  return "of no type";
}

Result<Type> DecodeType(const coreml::ValueType& from) {
  if (!from.has_tensor_type()) {
    return BadInput("it is {}; only tensors of a fixed shape have a form here", KindName(from));
  }
  const coreml::TensorType& tensor = from.tensor_type();
  const SpecType* spec = FindSpecType(tensor.data_type());
  const auto dtype = spec == nullptr ? std::nullopt : DTypeFromName(spec->name);
  if (!dtype) {
    return BadInput("its element type, number {}, is not known here", tensor.data_type());
  }
  if (tensor.rank() != tensor.dimensions_size() || tensor.rank() > kMostDimensions) {
    return BadInput("rank {} and {} dimensions; expected the same, at most {}", tensor.rank(),
                    tensor.dimensions_size(), kMostDimensions);
  }
  Type type{*dtype, {}};
  uint64_t room = kMaxElements;
  for (const coreml::Dimension& dimension : tensor.dimensions()) {
    if (!dimension.has_constant()) return BadInput("a dimension of its shape is flexible");
    const uint64_t size = dimension.constant().size();
    if (size == 0) return BadInput("a dimension of its shape is 0");
    room /= size;
    if (room == 0) return BadInput("it has too many elements");
    type.shape.push_back(static_cast<int64_t>(size));
  }
  if (type.dtype == DType::kString && !type.shape.empty()) {
    return BadInput("it is a tensor of strings; strings are scalars here");
  }
  return type;
}

template <class Values, class T>
void AppendAll(const Values& values, std::vector<std::byte>* bytes) {
  for (const auto& value : values) {
    const T element = static_cast<T>(value);
    const auto* raw = reinterpret_cast<const std::byte*>(&element);
    bytes->insert(bytes->end(), raw, raw + sizeof(element));
  }
}

// Integers of the `ints` field, which hold narrower types too.
std::vector<std::byte> NarrowInts(const coreml::TensorValue::Ints& ints, DType dtype) {
  std::vector<std::byte> bytes(static_cast<size_t>(ints.values_size()) * DTypeSize(dtype));
  for (int i = 0; i < ints.values_size(); ++i) {
    StoreElement(dtype, bytes.data(), static_cast<size_t>(i), ints.values(i));
  }
  return bytes;
}

// The elements of an immediate; nothing where they do not stand in the type's field.
std::optional<std::vector<std::byte>> DecodeElements(const coreml::TensorValue& from, DType dtype) {
  std::vector<std::byte> bytes;
  switch (FindSpecType(dtype)->field) {
    case ImmediateField::kStrings:
      if (from.strings().values_size() != 1) return std::nullopt;
      AppendAll<std::string, char>(from.strings().values(0), &bytes);
      return bytes;
    case ImmediateField::kBytes:
      if (!from.has_bytes()) return std::nullopt;
      AppendAll<std::string, char>(from.bytes().values(), &bytes);
      return bytes;
    case ImmediateField::kBools:
      if (!from.has_bools()) return std::nullopt;
      AppendAll<decltype(from.bools().values()), bool>(from.bools().values(), &bytes);
      return bytes;
    case ImmediateField::kFloats:
      if (!from.has_floats()) return std::nullopt;
      AppendAll<decltype(from.floats().values()), float>(from.floats().values(), &bytes);
      return bytes;
    case ImmediateField::kDoubles:
      if (!from.has_doubles()) return std::nullopt;
      AppendAll<decltype(from.doubles().values()), double>(from.doubles().values(), &bytes);
      return bytes;
    case ImmediateField::kInts:
      if (!from.has_ints()) return std::nullopt;
      return NarrowInts(from.ints(), dtype);
    case ImmediateField::kLongInts:
      if (!from.has_long_ints()) return std::nullopt;
      AppendAll<decltype(from.long_ints().values()), int64_t>(from.long_ints().values(), &bytes);
      return bytes;
  }
  return std::nullopt;
}

Result<Constant> DecodeConstant(const coreml::Value& from) {
  auto type = DecodeType(from.type());
  if (!type) return type.error();
  if (from.has_blob_file_value()) {
    const coreml::Value::BlobFile& blob = from.blob_file_value();
    return Constant::Blob(*std::move(type), {blob.file_name(), blob.offset()});
  }
  if (!from.has_immediate_value()) return BadInput("it has no value");
  auto bytes = DecodeElements(from.immediate_value().tensor(), type->dtype);
  if (!bytes) return BadInput("its elements are not {}", DTypeName(type->dtype));
  if (type->dtype != DType::kString && bytes->size() != type->bytes()) {
    return BadInput("{} bytes of elements, {} has {}", bytes->size(), ToString(*type),
                    type->bytes());
  }
  return Constant::FromBytes(*std::move(type), *std::move(bytes));
}

// The keys of a map in the order in which `def` documents them, others behind, by name.
template <class Map>
std::vector<std::string> OrderedKeys(const Map& map, const OpDef* def) {
  std::vector<std::pair<size_t, std::string>> keys;
  for (const auto& [key, value] : map) {
    size_t place = key == "name" ? 0 : std::numeric_limits<size_t>::max();
    for (size_t i = 0; def != nullptr && i < def->params.size(); ++i) {
      if (def->params[i].name == key) place = i + 1;
    }
    keys.emplace_back(place, key);
  }
  std::ranges::sort(keys);
  std::vector<std::string> names;
  for (auto& [place, key] : keys) names.push_back(std::move(key));
  return names;
}

Status CheckIdentifier(std::string_view id) {
  if (IsIdentifier(id)) return {};
  return BadInput("'{}' is not an identifier of MIL text", id);
}

class FunctionDecoder {
 public:
  explicit FunctionDecoder(Function* function) : function_(*function) {}

  Status Run(const coreml::Function& from) {
    if (Status status = SetOpset(from.opset()); !status) return status;
    for (const coreml::NamedValueType& input : from.inputs()) {
      if (Status status = Define(input, &function_.inputs); !status) return status;
    }
    const auto block = from.block_specializations().find(from.opset());
    if (block == from.block_specializations().end()) {
      return BadInput("it has no body for its opset {}", from.opset());
    }
    if (block->second.inputs_size() > 0) return BadInput("its body has inputs of its own");
    for (const coreml::Operation& operation : block->second.operations()) {
      if (Status status = Decode(operation); !status) {
        const std::string id = operation.outputs_size() > 0 ? operation.outputs(0).name() : "?";
        return status.error().In(fmt::format("{} ({})", operation.type(), id));
      }
    }
    for (const std::string& output : block->second.outputs()) {
      const auto value = Use(output);
      if (!value) return value.error().In("outputs");
      function_.outputs.push_back(*value);
    }
    return {};
  }

 private:
  // "CoreML7" is ios17.
  Status SetOpset(std::string_view opset) {
    constexpr std::string_view kPrefix = "CoreML";
    int number = 0;
    if (opset.starts_with(kPrefix)) {
      std::from_chars(opset.data() + kPrefix.size(), opset.data() + opset.size(), number);
    }
    if (number + kOpsetToCoreMl < kFirstOpset || number > 99 ||
        fmt::format("CoreML{}", number) != opset) {
      return BadInput("opset '{}'; expected CoreML5 (ios15) or later", opset);
    }
    function_.opset = fmt::format("ios{}", number + kOpsetToCoreMl);
    return {};
  }

  Status Define(const coreml::NamedValueType& from, std::vector<ValueId>* ids) {
    if (Status status = CheckIdentifier(from.name()); !status) return status;
    auto type = DecodeType(from.type());
    if (!type) return type.error().In(from.name());
    const auto id = static_cast<ValueId>(function_.values.size());
    if (!values_.emplace(from.name(), id).second) {
      return BadInput("'{}' is defined twice", from.name());
    }
    function_.values.push_back({from.name(), *std::move(type)});
    ids->push_back(id);
    return {};
  }

  Result<ValueId> Use(const std::string& name) const {
    const auto it = values_.find(name);
    if (it == values_.end()) return BadInput("'{}' is used before it is defined", name);
    return it->second;
  }

  Status DecodeArgument(const coreml::Argument& from, bool tuple, Argument* to) const {
    if (from.arguments_size() == 1 && from.arguments(0).has_value()) {
      auto constant = DecodeConstant(from.arguments(0).value());
      if (!constant) return constant.error();
      to->value = *std::move(constant);
      return {};
    }
    std::vector<ValueId> values;
    for (const coreml::Argument::Binding& binding : from.arguments()) {
      if (binding.has_value()) return BadInput("a constant in a tuple has no form here");
      const auto value = Use(binding.name());
      if (!value) return value.error();
      values.push_back(*value);
    }
    if (values.empty()) return BadInput("it has no value");
    if (tuple || values.size() > 1) {
      to->value = std::move(values);
    } else {
      to->value = values.front();
    }
    return {};
  }

  Status Decode(const coreml::Operation& from) {
    if (Status status = CheckIdentifier(from.type()); !status) return status;
    if (from.blocks_size() > 0) return BadInput("it holds blocks, which have no form here");
    if (from.outputs_size() == 0) return BadInput("it has no result");
    Operation operation{.op = from.type()};
    const OpDef* def = FindOp(from.type());
    for (const std::string& key : OrderedKeys(from.inputs(), def)) {
      if (Status status = CheckIdentifier(key); !status) return status;
      const auto param = def == nullptr ? std::vector<Param>::const_iterator()
                                        : std::ranges::find(def->params, key, &Param::name);
      const bool tuple =
          def != nullptr && param != def->params.end() && param->kind == ParamKind::kValues;
      Argument& argument = operation.arguments.emplace_back(Argument{.key = key});
      if (Status status = DecodeArgument(from.inputs().at(key), tuple, &argument); !status) {
        return status.error().In(key);
      }
    }
    for (const std::string& key : OrderedKeys(from.attributes(), def)) {
      if (Status status = CheckIdentifier(key); !status) return status;
      auto constant = DecodeConstant(from.attributes().at(key));
      if (!constant) return constant.error().In(key);
      operation.attributes.push_back({key, *std::move(constant)});
    }
    for (const coreml::NamedValueType& output : from.outputs()) {
      if (Status status = Define(output, &operation.outputs); !status) return status;
    }
    function_.operations.push_back(std::move(operation));
    return {};
  }

  Function& function_;
  std::map<std::string, ValueId, std::less<>> values_;
};

// The functions' names: the described ones in that order, the default one first, then the others.
std::vector<std::string> FunctionOrder(const coreml::Model& model) {
  std::vector<std::string> order = {model.description().default_function_name(), "main"};
  for (const auto& function : model.description().functions()) order.push_back(function.name());
  for (const auto& name : OrderedKeys(model.ml_program().functions(), nullptr)) {
    order.push_back(name);
  }
  std::set<std::string> seen;
  std::erase_if(order, [&](const std::string& name) {
    return !model.ml_program().functions().contains(name) || !seen.insert(name).second;
  });
  return order;
}

}  // namespace

Result<Program> DecodePackage(std::span<const std::byte> model) {
  coreml::Model from;
  const bool fits = model.size() <= static_cast<size_t>(std::numeric_limits<int>::max());
  if (!fits || !from.ParseFromArray(model.data(), static_cast<int>(model.size()))) {
    return BadInput("not a Core ML model: the protocol buffer cannot be read");
  }
  if (!from.has_ml_program()) {
    return BadInput("specification version {}: not an ML Program", from.specification_version());
  }
  if (from.ml_program().functions().empty()) return BadInput("the program has no function");
  Program program{.version = kProgramVersion, .build_info = DefaultBuildInfo()};
  for (const std::string& name : FunctionOrder(from)) {
    if (Status status = CheckIdentifier(name); !status) return status.error();
    Function& function = program.functions.emplace_back();
    function.name = name;
    if (Status status = FunctionDecoder(&function).Run(from.ml_program().functions().at(name));
        !status) {
      return status.error().In(name);
    }
  }
  return program;
}

}  // namespace millwright::mil
