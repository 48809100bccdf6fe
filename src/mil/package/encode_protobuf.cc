#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <utility>

#include "mil/package/package.h"
#include "mil/package/prepare.h"
#include "mil/package/spec_types.h"
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

Status EncodeType(const Type& type, coreml::ValueType* to) {
  const SpecType* spec = FindSpecType(type.dtype);
  if (spec == nullptr) return BadInput("{} is not a type of Core ML", ToString(type));
  coreml::TensorType& tensor = *to->mutable_tensor_type();
  tensor.set_data_type(spec->number);
  tensor.set_rank(static_cast<int64_t>(type.shape.size()));
  for (int64_t dim : type.shape) {
    tensor.add_dimensions()->mutable_constant()->set_size(static_cast<uint64_t>(dim));
  }
  return {};
}

void EncodeElements(const Constant& constant, ImmediateField field, coreml::TensorValue* to) {
  const auto count = static_cast<size_t>(constant.type().elements());
  const auto bytes = constant.bytes();
  switch (field) {
    case ImmediateField::kStrings:
      to->mutable_strings()->add_values(constant.as_string());
      return;
    case ImmediateField::kBytes:
      to->mutable_bytes()->set_values(bytes.data(), bytes.size());
      return;
    case ImmediateField::kBools:
      for (size_t i = 0; i < count; ++i) to->mutable_bools()->add_values(constant.at(i) != 0.0);
      return;
    case ImmediateField::kFloats:
      for (size_t i = 0; i < count; ++i) {
        float value = 0;
        std::memcpy(&value, bytes.data() + i * sizeof(value), sizeof(value));
        to->mutable_floats()->add_values(value);
      }
      return;
    case ImmediateField::kDoubles:
      for (size_t i = 0; i < count; ++i) to->mutable_doubles()->add_values(constant.at(i));
      return;
    case ImmediateField::kInts:
      for (size_t i = 0; i < count; ++i) {
        to->mutable_ints()->add_values(static_cast<int32_t>(constant.at(i)));
      }
      return;
    case ImmediateField::kLongInts:
      for (size_t i = 0; i < count; ++i) {
        int64_t value = 0;
        std::memcpy(&value, bytes.data() + i * sizeof(value), sizeof(value));
        to->mutable_long_ints()->add_values(value);
      }
      return;
  }
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

  Status Run(coreml::Function* to) {
    const std::string opset = fmt::format("CoreML{}", opset_ - kOpsetToCoreMl);
    to->set_opset(opset);
    for (ValueId input : function_.inputs) {
      if (Status status = Encode(input, to->add_inputs()); !status) return status;
    }
    coreml::Block& block = (*to->mutable_block_specializations())[opset];
    for (ValueId output : function_.outputs) block.add_outputs(Id(output));
    for (const Operation& operation : function_.operations) {
      if (Status status = Encode(operation, block.add_operations()); !status) {
        return status.error().In(
            fmt::format("{} ({})", operation.op, Id(operation.outputs.front())));
      }
    }
    return {};
  }

 private:
  const std::string& Id(ValueId value) const { return function_.value(value).id; }

  Status Encode(ValueId value, coreml::NamedValueType* to) {
    to->set_name(Id(value));
    return EncodeType(function_.value(value).type, to->mutable_type());
  }

  Status Encode(const Constant& constant, coreml::Value* to) {
    if (Status status = EncodeType(constant.type(), to->mutable_type()); !status) return status;
    if (!constant.blob() && !BelongsInFile(constant.type(), opset_)) {
      EncodeElements(constant, FindSpecType(constant.type().dtype)->field,
                     to->mutable_immediate_value()->mutable_tensor());
      return {};
    }
    const auto offset = weights_.Add(constant);
    if (!offset) return offset.error();
    to->mutable_blob_file_value()->set_file_name(kWeightFile);
    to->mutable_blob_file_value()->set_offset(*offset);
    return {};
  }

  Status Encode(const Argument& argument, coreml::Argument* to) {
    if (const auto* value = std::get_if<ValueId>(&argument.value)) {
      to->add_arguments()->set_name(Id(*value));
    } else if (const auto* literal = std::get_if<Constant>(&argument.value)) {
      return Encode(*literal, to->add_arguments()->mutable_value());
    } else {
      for (ValueId element : std::get<std::vector<ValueId>>(argument.value)) {
        to->add_arguments()->set_name(Id(element));
      }
    }
    return {};
  }

  Status Encode(const Operation& operation, coreml::Operation* to) {
    to->set_type(operation.op);
    for (ValueId output : operation.outputs) {
      if (Status status = Encode(output, to->add_outputs()); !status) return status;
    }
    for (const Argument& argument : operation.arguments) {
      if (Status status = Encode(argument, &(*to->mutable_inputs())[argument.key]); !status) {
        return status.error().In(argument.key);
      }
    }
    for (const Attribute& attribute : operation.attributes) {
      auto status = Encode(attribute.value, &(*to->mutable_attributes())[attribute.key]);
      if (!status) return status.error().In(attribute.key);
    }
    return {};
  }

  const Function& function_;
  int opset_;
  WeightFile& weights_;
};

void Describe(const Function& function, ValueId value, coreml::FeatureDescription* to) {
  const Value& port = function.value(value);
  to->set_name(port.id);
  coreml::ArrayFeatureType& array = *to->mutable_type()->mutable_multi_array_type();
  for (int64_t dim : port.type.shape) array.add_shape(dim);
  array.set_data_type(port.type.dtype == DType::kFp16   ? coreml::ArrayFeatureType::ARRAY_FLOAT16
                      : port.type.dtype == DType::kFp32 ? coreml::ArrayFeatureType::ARRAY_FLOAT32
                                                        : coreml::ArrayFeatureType::ARRAY_INT32);
}

// The ports of `function` to a ModelDescription or a FunctionDescription.
template <class Description>
void DescribePorts(const Function& function, Description* to) {
  for (ValueId input : function.inputs) Describe(function, input, to->add_input());
  for (ValueId output : function.outputs) Describe(function, output, to->add_output());
}

void DescribeModel(const Program& program, coreml::ModelDescription* to) {
  if (program.functions.size() == 1) return DescribePorts(program.main(), to);
  for (const Function& function : program.functions) {
    coreml::FunctionDescription& description = *to->add_functions();
    description.set_name(function.name);
    DescribePorts(function, &description);
  }
  const auto main = std::ranges::find(program.functions, "main", &Function::name);
  to->set_default_function_name(main == program.functions.end() ? program.main().name : "main");
}

// Maps are written in the order of their keys, so that equal models have equal bytes.
Result<std::string> Serialize(const coreml::Model& model) {
  std::string bytes;
  bool complete = false;
  {
    google::protobuf::io::StringOutputStream stream(&bytes);
    google::protobuf::io::CodedOutputStream coded(&stream);
    coded.SetSerializationDeterministic(true);
    complete = model.SerializeToCodedStream(&coded) && !coded.HadError();
  }
  if (!complete) return BadInput("the program is too large for one model file");
  return bytes;
}

}  // namespace

bool HasPackages() { return true; }

Result<EncodedPackage> EncodePackage(const Program& program, const WeightStore& weights,
                                     bool lenient_blobs) {
  if (Status status = Verify(program); !status) return status.error();
  auto prepared = PrepareForCoreMl(program);
  if (!prepared) return prepared.error();
  EncodedPackage package;
  coreml::Model model;
  coreml::Program& to = *model.mutable_ml_program();
  to.set_version(1);
  WeightFile file(weights, lenient_blobs);
  for (const Function& function : prepared->program.functions) {
    const int version = OpsetNumber(function.opset) - kOpsetToSpecification;
    package.specification_version = std::max(package.specification_version, version);
    FunctionEncoder encoder(function, &file);
    if (Status status = encoder.Run(&(*to.mutable_functions())[function.name]); !status) {
      return status.error().In(function.name);
    }
  }
  model.set_specification_version(package.specification_version);
  DescribeModel(prepared->program, model.mutable_description());
  auto bytes = Serialize(model);
  if (!bytes) return bytes.error();
  package.model = *std::move(bytes);
  package.weights = std::move(file).Finish();
  package.notes = std::move(prepared->notes);
  return package;
}

}  // namespace millwright::mil
