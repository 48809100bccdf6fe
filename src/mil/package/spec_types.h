// MIL's element types in Core ML's numbers, for the two files that speak protocol buffers.
#pragma once

#include <optional>

#include "base/dtype.h"
#include "mil/package/coreml.pb.h"

namespace millwright::mil {

inline constexpr int kFirstOpset = 15;
// Core ML's name of an opset is "CoreML<number>", 5 for ios15; its specification version is 6.
inline constexpr int kOpsetToCoreMl = 10;
inline constexpr int kOpsetToSpecification = 9;

// The message's field in which elements of a type stand when they are immediates. Source:
// coremltools, mil/backend/mil/helper.py and types.IMMEDIATE_VALUE_TYPES_IN_BYTES.
enum class ImmediateField { kFloats, kDoubles, kInts, kLongInts, kBools, kStrings, kBytes };

struct SpecType {
  const char* name;  // MIL's spelling
  coreml::DataType number;
  ImmediateField field;
};

inline constexpr SpecType kSpecTypes[] = {
    {"bool", coreml::BOOL, ImmediateField::kBools},
    {"string", coreml::STRING, ImmediateField::kStrings},
    {"fp16", coreml::FLOAT16, ImmediateField::kBytes},
    {"bf16", coreml::BFLOAT16, ImmediateField::kBytes},
    {"fp32", coreml::FLOAT32, ImmediateField::kFloats},
    {"fp64", coreml::FLOAT64, ImmediateField::kDoubles},
    {"int4", coreml::INT4, ImmediateField::kBytes},
    {"int8", coreml::INT8, ImmediateField::kBytes},
    {"int16", coreml::INT16, ImmediateField::kInts},
    {"int32", coreml::INT32, ImmediateField::kInts},
    {"int64", coreml::INT64, ImmediateField::kLongInts},
    {"uint1", coreml::UINT1, ImmediateField::kBytes},
    {"uint2", coreml::UINT2, ImmediateField::kBytes},
    {"uint3", coreml::UINT3, ImmediateField::kBytes},
    {"uint4", coreml::UINT4, ImmediateField::kBytes},
    {"uint6", coreml::UINT6, ImmediateField::kBytes},
    {"uint8", coreml::UINT8, ImmediateField::kBytes},
    {"uint16", coreml::UINT16, ImmediateField::kInts},
    {"uint32", coreml::UINT32, ImmediateField::kBytes},
    {"uint64", coreml::UINT64, ImmediateField::kLongInts},
};

inline const SpecType* FindSpecType(DType dtype) {
  for (const SpecType& type : kSpecTypes) {
    if (type.name == DTypeName(dtype)) return &type;
  }
  return nullptr;
}

// Null for a number that is not in the table.
inline const SpecType* FindSpecType(int number) {
  for (const SpecType& type : kSpecTypes) {
    if (type.number == number) return &type;
  }
  return nullptr;
}

}  // namespace millwright::mil
