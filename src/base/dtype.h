// Element types, and the two 16-bit floats as storage types.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace millwright {

enum class DType : uint8_t {
  kFp16,
  kBf16,
  kFp32,
  kFp64,  // never in MIL text: the storage of surfaces in `exact` evaluation
  kInt8,
  kUint8,
  kInt16,
  kUint16,
  kInt32,
  kUint64,
  kBool,
  kString,
  kUint32,  // shapes of compressed weights only
  // Parts of a byte: elements of compressed weights, packed without gaps, the first in the lowest
  // bits (source: coremltools, MILBlob/SubByteTypes.hpp).
  kInt4,
  kUint4,
  kUint1,
  kUint2,
  kUint3,
  kUint6,
};

// "fp16", "int32", ...: MIL's spelling.
std::string_view DTypeName(DType dtype);

// The inverse of DTypeName, or nothing for an unknown name.
std::optional<DType> DTypeFromName(std::string_view name);

// Bytes of one element; 0 for strings and for elements that are parts of a byte.
size_t DTypeSize(DType dtype);

// Bits of one element; 0 for strings.
size_t DTypeBits(DType dtype);

// Whether elements are parts of a byte.
bool IsSubByte(DType dtype);

bool IsFloat(DType dtype);

// IEEE 754 binary16 and bfloat16 bit patterns. Conversions round to nearest even, keep subnormals,
// and keep NaN a NaN. Source: IEEE 754-2008 section 3.4 and 4.3.1.
struct Fp16 {
  uint16_t bits = 0;
  bool operator==(const Fp16&) const = default;
};
struct Bf16 {
  uint16_t bits = 0;
  bool operator==(const Bf16&) const = default;
};

float ToFloat(Fp16 value);
float ToFloat(Bf16 value);
Fp16 ToFp16(float value);
Bf16 ToBf16(float value);

// Rounds a double to fp16 in one step (through float would round twice).
Fp16 DoubleToFp16(double value);

// Reads or writes element `index` of an array of `dtype`, packed where it is a part of a byte, as
// double. Integers saturate, halves round to nearest even; strings are not elements.
double LoadElement(DType dtype, const void* data, size_t index);
void StoreElement(DType dtype, void* data, size_t index, double value);

// The DType of a C++ element type.
template <class T>
struct DTypeOf;
template <>
struct DTypeOf<float> {
  static constexpr DType value = DType::kFp32;
};
template <>
struct DTypeOf<double> {
  static constexpr DType value = DType::kFp64;
};
template <>
struct DTypeOf<Fp16> {
  static constexpr DType value = DType::kFp16;
};
template <>
struct DTypeOf<int32_t> {
  static constexpr DType value = DType::kInt32;
};
template <>
struct DTypeOf<int8_t> {
  static constexpr DType value = DType::kInt8;
};

}  // namespace millwright
