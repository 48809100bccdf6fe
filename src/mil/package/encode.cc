#include <algorithm>
#include <cstring>
#include <limits>
#include <map>
#include <utility>

#include "base/wire_message.h"
#include "mil/package/coreml_format.h"
#include "mil/package/package.h"
#include "mil/package/prepare.h"
#include "mil/verify.h"

namespace millwright::mil {
namespace {

constexpr const char* kWeightFile = "@model_path/weights/weight.bin";
constexpr int64_t kLeastInFile = 10;  // elements; smaller constants stand in the model
constexpr int kFirstWithIntegersInFile = 18;

// The weight file, into which constants of all functions go, each once.
class WeightFile {
 public:
  WeightFile(const WeightStore& weights, bool lenient) : weights_(weights), lenient_(lenient) {}

  // Where the elements of `constant` lie.
  Result<uint64_t> Add(const Constant& constant) {
    const auto& blob = constant.blob();
    if (blob) {
      const auto it = offsets_.find({blob->path, blob->offset});
      if (it != offsets_.end()) return it->second;
    }
    const auto bytes = weights_.Read(constant, lenient_);
    if (!bytes) return bytes.error();
    const Type& type = constant.type();
    const uint64_t bits = static_cast<uint64_t>(type.elements()) * DTypeBits(type.dtype);
    const uint64_t offset = writer_.Add(type.dtype, *bytes, bytes->size() * 8 - bits);
    if (blob) offsets_[{blob->path, blob->offset}] = offset;
    empty_ = false;
    return offset;
  }

  std::vector<std::byte> Finish() && {
    return empty_ ? std::vector<std::byte>() : std::move(writer_).Finish();
  }

 private:
  const WeightStore& weights_;
  bool lenient_;
  bool empty_ = true;
  BlobWriter writer_;
  std::map<std::pair<std::string, uint64_t>, uint64_t> offsets_;
};

// A scalar that is 0 is left out, as coremltools' writer does.
void AddInteger(int field, int64_t value, WireMessage* to) {
  if (value != 0) to->Integer(field, value);
}

// A map field, in the order of the keys, so that equal models have equal bytes.
void AddMap(int field, const std::map<std::string, WireMessage>& map, WireMessage* to) {
  for (const auto& [key, value] : map) {
    to->Message(
        field,
        WireMessage().Text(coreml::in_entry::kKey, key).Message(coreml::in_entry::kValue, value));
  }
}

Result<WireMessage> EncodeType(const Type& type) {
  using namespace coreml;
  const SpecType* spec = FindSpecType(type.dtype);
  if (spec == nullptr) return BadInput("{} is not a type of Core ML", ToString(type));
  WireMessage tensor;
  tensor.Integer(in_tensor_type::kDataType, spec->number);
  AddInteger(in_tensor_type::kRank, static_cast<int64_t>(type.shape.size()), &tensor);
  for (const int64_t dim : type.shape) {
    tensor.Message(in_tensor_type::kDimensions,
                   WireMessage().Message(in_dimension::kConstant,
                                         WireMessage().Integer(in_dimension::kSize, dim)));
  }
  return WireMessage().Message(in_value_type::kTensor, tensor);
}

std::vector<int64_t> Integers(const Constant& constant) {
  std::vector<int64_t> values = constant.ints();
  // The doubles through which those went do not hold all of 64 bits.
  if (DTypeSize(constant.type().dtype) == sizeof(int64_t)) {
    std::memcpy(values.data(), constant.bytes().data(), values.size() * sizeof(int64_t));
  }
  return values;
}

// A TensorValue.
WireMessage EncodeElements(const Constant& constant, ImmediateField field) {
  const auto bytes = constant.bytes();
  WireMessage values;
  switch (field) {
    case ImmediateField::kStrings:
      values.Text(kImmediateValues, constant.as_string());
      break;
    case ImmediateField::kBytes:
    case ImmediateField::kFloats:
    case ImmediateField::kDoubles:
      values.Text(kImmediateValues, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
      break;
    case ImmediateField::kBools:
    case ImmediateField::kInts:
    case ImmediateField::kLongInts:
      values.Integers(kImmediateValues, Integers(constant));
      break;
  }
  return WireMessage().Message(static_cast<int>(field), values);
}

bool BelongsInFile(const Type& type, int opset) {
  if (type.elements() < kLeastInFile || !BlobDTypeCode(type.dtype)) return false;
  const bool always = type.dtype == DType::kFp16 || type.dtype == DType::kFp32 ||
                      type.dtype == DType::kInt8 || type.dtype == DType::kUint8 ||
                      IsSubByte(type.dtype);
  return always || opset >= kFirstWithIntegersInFile;
}

// Encodes one function of a prepared program.
class FunctionEncoder {
 public:
  FunctionEncoder(const Function& function, WeightFile* weights)
      : function_(function), opset_(OpsetNumber(function.opset)), weights_(*weights) {}

  Result<WireMessage> Run() {
    using namespace coreml;
    const std::string opset = fmt::format("CoreML{}", opset_ - kOpsetToCoreMl);
    WireMessage function, block;
    for (const ValueId input : function_.inputs) {
      if (Status status = Add(input, in_function::kInputs, &function); !status) {
        return status.error();
      }
    }
    for (const ValueId output : function_.outputs) block.Text(in_block::kOutputs, Id(output));
    for (const Operation& operation : function_.operations) {
      const auto encoded = Encode(operation);
      if (!encoded) {
        return encoded.error().In(
            fmt::format("{} ({})", operation.op, Id(operation.outputs.front())));
      }
      block.Message(in_block::kOperations, *encoded);
    }
    function.Text(in_function::kOpset, opset);
    AddMap(in_function::kBlocks, {{opset, block}}, &function);
    return function;
  }

 private:
  const std::string& Id(ValueId value) const { return function_.value(value).id; }

  // Appends a NamedValueType.
  Status Add(ValueId value, int field, WireMessage* to) const {
    const auto type = EncodeType(function_.value(value).type);
    if (!type) return type.error();
    to->Message(field, WireMessage()
                           .Text(coreml::in_named_type::kName, Id(value))
                           .Message(coreml::in_named_type::kType, *type));
    return {};
  }

  // A Value.
  Result<WireMessage> Encode(const Constant& constant) {
    using namespace coreml;
    const auto type = EncodeType(constant.type());
    if (!type) return type.error();
    WireMessage value;
    value.Message(in_value::kType, *type);
    if (!constant.blob() && !BelongsInFile(constant.type(), opset_)) {
      const ImmediateField field = FindSpecType(constant.type().dtype)->field;
      return value.Message(
          in_value::kImmediate,
          WireMessage().Message(in_value::kTensor, EncodeElements(constant, field)));
    }
    const auto offset = weights_.Add(constant);
    if (!offset) return offset.error();
    return value.Message(in_value::kBlobFile,
                         WireMessage()
                             .Text(in_blob_file::kFileName, kWeightFile)
                             .Integer(in_blob_file::kOffset, static_cast<int64_t>(*offset)));
  }

  // An Argument.
  Result<WireMessage> Encode(const Argument& argument) {
    using namespace coreml;
    WireMessage to;
    const auto name = [&](ValueId value) {
      to.Message(in_argument::kBindings, WireMessage().Text(in_argument::kName, Id(value)));
    };
    if (const auto* value = std::get_if<ValueId>(&argument.value)) {
      name(*value);
    } else if (const auto* literal = std::get_if<Constant>(&argument.value)) {
      const auto encoded = Encode(*literal);
      if (!encoded) return encoded.error();
      to.Message(in_argument::kBindings, WireMessage().Message(in_argument::kValue, *encoded));
    } else {
      for (const ValueId element : std::get<std::vector<ValueId>>(argument.value)) name(element);
    }
    return to;
  }

  Result<WireMessage> Encode(const Operation& operation) {
    using namespace coreml;
    std::map<std::string, WireMessage> inputs, attributes;
    for (const Argument& argument : operation.arguments) {
      auto encoded = Encode(argument);
      if (!encoded) return encoded.error().In(argument.key);
      inputs[argument.key] = *std::move(encoded);
    }
    for (const Attribute& attribute : operation.attributes) {
      auto encoded = Encode(attribute.value);
      if (!encoded) return encoded.error().In(attribute.key);
      attributes[attribute.key] = *std::move(encoded);
    }
    WireMessage to;
    to.Text(in_operation::kType, operation.op);
    AddMap(in_operation::kInputs, inputs, &to);
    for (const ValueId output : operation.outputs) {
      if (Status status = Add(output, in_operation::kOutputs, &to); !status) return status.error();
    }
    AddMap(in_operation::kAttributes, attributes, &to);
    return to;
  }

  const Function& function_;
  int opset_;
  WeightFile& weights_;
};

// A FeatureDescription.
WireMessage Describe(const Value& port) {
  using namespace coreml;
  WireMessage array;
  if (!port.type.shape.empty()) array.Integers(in_array::kShape, port.type.shape);
  array.Integer(in_array::kDataType, port.type.dtype == DType::kFp16   ? in_array::kFloat16
                                     : port.type.dtype == DType::kFp32 ? in_array::kFloat32
                                                                       : in_array::kInt32);
  return WireMessage()
      .Text(in_feature::kName, port.id)
      .Message(in_feature::kType, WireMessage().Message(in_feature::kMultiArray, array));
}

// The ports of `function` as fields of a description.
void DescribePorts(const Function& function, int input_field, int output_field, WireMessage* to) {
  for (const ValueId input : function.inputs) {
    to->Message(input_field, Describe(function.value(input)));
  }
  for (const ValueId output : function.outputs) {
    to->Message(output_field, Describe(function.value(output)));
  }
}

WireMessage DescribeModel(const Program& program) {
  using namespace coreml;
  WireMessage to;
  if (program.functions.size() == 1) {
    DescribePorts(program.main(), in_model_description::kInput, in_model_description::kOutput, &to);
    return to;
  }
  for (const Function& function : program.functions) {
    WireMessage description;
    description.Text(in_function_description::kName, function.name);
    DescribePorts(function, in_function_description::kInput, in_function_description::kOutput,
                  &description);
    to.Message(in_model_description::kFunctions, description);
  }
  const auto main = std::ranges::find(program.functions, "main", &Function::name);
  return to.Text(in_model_description::kDefaultFunction,
                 main == program.functions.end() ? program.main().name : "main");
}

}  // namespace

Result<EncodedPackage> EncodePackage(const Program& program, const WeightStore& weights,
                                     bool lenient_blobs) {
  using namespace coreml;
  if (Status status = Verify(program); !status) return status.error();
  auto prepared = PrepareForCoreMl(program);
  if (!prepared) return prepared.error();
  EncodedPackage package;
  WeightFile file(weights, lenient_blobs);
  std::map<std::string, WireMessage> functions;
  for (const Function& function : prepared->program.functions) {
    const int version = OpsetNumber(function.opset) - kOpsetToSpecification;
    package.specification_version = std::max(package.specification_version, version);
    auto encoded = FunctionEncoder(function, &file).Run();
    if (!encoded) return encoded.error().In(function.name);
    functions[function.name] = *std::move(encoded);
  }
  WireMessage ml_program;
  ml_program.Integer(in_program::kVersion, in_program::kCurrent);
  AddMap(in_program::kFunctions, functions, &ml_program);
  package.model = WireMessage()
                      .Integer(in_model::kVersion, package.specification_version)
                      .Message(in_model::kDescription, DescribeModel(prepared->program))
                      .Message(in_model::kMlProgram, ml_program)
                      .bytes();
  // Readers of the format count bytes in 32 bits.
  if (package.model.size() > static_cast<size_t>(std::numeric_limits<int32_t>::max())) {
    return BadInput("the program is too large for one model file");
  }
  package.weights = std::move(file).Finish();
  package.notes = std::move(prepared->notes);
  return package;
}

}  // namespace millwright::mil
