// What an ML Program needs of Core ML's model format, a protocol buffer: the numbers of the fields
// and enums of coremltools' mlmodel/format/{Model,FeatureTypes,MIL}.proto. Fields that are not
// listed are skipped when a file is read and never written.
#pragma once

#include <optional>

#include "base/dtype.h"

namespace millwright::mil {

inline constexpr int kFirstOpset = 15;
// Core ML's name of an opset is "CoreML<number>", 5 for ios15; its specification version is 6.
inline constexpr int kOpsetToCoreMl = 10;
inline constexpr int kOpsetToSpecification = 9;

namespace coreml {

// An entry of a map field: a message of two fields.
namespace in_entry {
constexpr int kKey = 1, kValue = 2;
}

// ---- Model.proto and FeatureTypes.proto

namespace in_model {
constexpr int kVersion = 1, kDescription = 2, kMlProgram = 502;
}
namespace in_model_description {
constexpr int kInput = 1, kOutput = 10, kFunctions = 20, kDefaultFunction = 21;
}
namespace in_function_description {
constexpr int kName = 1, kInput = 2, kOutput = 3;
}
namespace in_feature {
constexpr int kName = 1, kType = 3, kMultiArray = 5;  // the last one of its type
}
namespace in_array {
constexpr int kShape = 1, kDataType = 2;
constexpr int64_t kFloat16 = 65552, kFloat32 = 65568, kInt32 = 131104;
}  // namespace in_array

// ---- MIL.proto

namespace in_program {
constexpr int kVersion = 1, kFunctions = 2;  // a map
constexpr int64_t kCurrent = 1;
}  // namespace in_program
namespace in_function {
constexpr int kInputs = 1, kOpset = 2, kBlocks = 3;  // a map by opset
}
namespace in_block {
constexpr int kInputs = 1, kOutputs = 2, kOperations = 3;
}
namespace in_operation {
constexpr int kType = 1, kInputs = 2, kOutputs = 3, kBlocks = 4, kAttributes = 5;  // 2, 5: maps
}
namespace in_argument {
constexpr int kBindings = 1, kName = 1, kValue = 2;  // the last two of a binding
}
namespace in_named_type {
constexpr int kName = 1, kType = 2;
}
namespace in_value_type {
constexpr int kTensor = 1, kList = 2, kTuple = 3, kDictionary = 4, kState = 5;
}
namespace in_tensor_type {
constexpr int kDataType = 1, kRank = 2, kDimensions = 3;
}
namespace in_dimension {
constexpr int kConstant = 1, kSize = 1;  // the latter of the constant
}
namespace in_value {
constexpr int kType = 2, kImmediate = 3, kBlobFile = 5, kTensor = 1;  // the last of the immediate
}
namespace in_blob_file {
constexpr int kFileName = 1, kOffset = 2;
}

}  // namespace coreml

// The field of a TensorValue in which elements of a type stand when they are immediates; each is a
// message with `values` as its field 1. Source: coremltools, mil/backend/mil/helper.py and
// types.IMMEDIATE_VALUE_TYPES_IN_BYTES.
enum class ImmediateField {
  kFloats = 1,
  kInts = 2,
  kBools = 3,
  kStrings = 4,
  kLongInts = 5,
  kDoubles = 6,
  kBytes = 7
};
inline constexpr int kImmediateValues = 1;

struct SpecType {
  const char* name;  // MIL's spelling
  int number;        // of MIL.proto's DataType
  ImmediateField field;
};

inline constexpr SpecType kSpecTypes[] = {
    {"bool", 1, ImmediateField::kBools},       {"string", 2, ImmediateField::kStrings},
    {"fp16", 10, ImmediateField::kBytes},      {"fp32", 11, ImmediateField::kFloats},
    {"fp64", 12, ImmediateField::kDoubles},    {"bf16", 13, ImmediateField::kBytes},
    {"int8", 21, ImmediateField::kBytes},      {"int16", 22, ImmediateField::kInts},
    {"int32", 23, ImmediateField::kInts},      {"int64", 24, ImmediateField::kLongInts},
    {"int4", 25, ImmediateField::kBytes},      {"uint8", 31, ImmediateField::kBytes},
    {"uint16", 32, ImmediateField::kInts},     {"uint32", 33, ImmediateField::kBytes},
    {"uint64", 34, ImmediateField::kLongInts}, {"uint4", 35, ImmediateField::kBytes},
    {"uint2", 36, ImmediateField::kBytes},     {"uint1", 37, ImmediateField::kBytes},
    {"uint6", 38, ImmediateField::kBytes},     {"uint3", 39, ImmediateField::kBytes},
};

inline const SpecType* FindSpecType(DType dtype) {
  for (const SpecType& type : kSpecTypes) {
    if (type.name == DTypeName(dtype)) return &type;
  }
  return nullptr;
}

// Null for a number that is not in the table.
inline const SpecType* FindSpecType(int64_t number) {
  for (const SpecType& type : kSpecTypes) {
    if (type.number == number) return &type;
  }
  return nullptr;
}

}  // namespace millwright::mil
