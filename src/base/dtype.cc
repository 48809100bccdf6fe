#include "base/dtype.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

namespace millwright {
namespace {

struct DTypeInfo {
  DType dtype;
  std::string_view name;
  size_t bits;
};

constexpr std::array kDTypes = {
    DTypeInfo{DType::kFp16, "fp16", 16},     DTypeInfo{DType::kBf16, "bf16", 16},
    DTypeInfo{DType::kFp32, "fp32", 32},     DTypeInfo{DType::kFp64, "fp64", 64},
    DTypeInfo{DType::kInt8, "int8", 8},      DTypeInfo{DType::kUint8, "uint8", 8},
    DTypeInfo{DType::kInt16, "int16", 16},   DTypeInfo{DType::kUint16, "uint16", 16},
    DTypeInfo{DType::kInt32, "int32", 32},   DTypeInfo{DType::kUint64, "uint64", 64},
    DTypeInfo{DType::kBool, "bool", 8},      DTypeInfo{DType::kString, "string", 0},
    DTypeInfo{DType::kUint32, "uint32", 32}, DTypeInfo{DType::kInt4, "int4", 4},
    DTypeInfo{DType::kUint4, "uint4", 4},    DTypeInfo{DType::kUint1, "uint1", 1},
    DTypeInfo{DType::kUint2, "uint2", 2},    DTypeInfo{DType::kUint3, "uint3", 3},
    DTypeInfo{DType::kUint6, "uint6", 6},
};

template <class T>
T Saturate(double value) {
  constexpr double kLow = static_cast<double>(std::numeric_limits<T>::lowest());
  constexpr double kHigh = static_cast<double>(std::numeric_limits<T>::max());
  if (std::isnan(value)) return T{0};
  if (value <= kLow) return std::numeric_limits<T>::lowest();
  if (value >= kHigh) return std::numeric_limits<T>::max();
  return static_cast<T>(value);
}

template <class T>
T Load(const void* data, size_t index) {
  T value;
  std::memcpy(&value, static_cast<const char*>(data) + index * sizeof(T), sizeof(T));
  return value;
}

template <class T>
void Store(void* data, size_t index, T value) {
  std::memcpy(static_cast<char*>(data) + index * sizeof(T), &value, sizeof(T));
}

// The bits of element `index`, which lie in one byte or in two neighbours.
unsigned LoadBits(const void* data, size_t index, size_t bits) {
  const auto* bytes = static_cast<const uint8_t*>(data) + index * bits / 8;
  const size_t shift = index * bits % 8;
  unsigned window = bytes[0];
  if (shift + bits > 8) window |= static_cast<unsigned>(bytes[1]) << 8;
  return (window >> shift) & ((1u << bits) - 1);
}

void StoreBits(void* data, size_t index, size_t bits, unsigned value) {
  auto* bytes = static_cast<uint8_t*>(data) + index * bits / 8;
  const size_t shift = index * bits % 8;
  const unsigned mask = ((1u << bits) - 1) << shift;
  const unsigned placed = value << shift;
  bytes[0] = static_cast<uint8_t>((bytes[0] & ~mask) | (placed & 0xFF));
  if (shift + bits > 8) {
    bytes[1] = static_cast<uint8_t>((bytes[1] & ~(mask >> 8)) | (placed >> 8));
  }
}

// Elements that are parts of a byte; only int4 has a sign.
double LoadPart(DType dtype, const void* data, size_t index) {
  const unsigned bits = LoadBits(data, index, DTypeBits(dtype));
  return dtype == DType::kInt4 && bits > 7 ? static_cast<double>(bits) - 16.0 : bits;
}

void StorePart(DType dtype, void* data, size_t index, double value) {
  const size_t bits = DTypeBits(dtype);
  const double high = dtype == DType::kInt4 ? 7.0 : static_cast<double>((1u << bits) - 1);
  const double low = dtype == DType::kInt4 ? -8.0 : 0.0;
  const double clamped = std::isnan(value) ? 0.0 : std::clamp(std::trunc(value), low, high);
  const auto pattern = static_cast<unsigned>(static_cast<int>(clamped)) & ((1u << bits) - 1);
  StoreBits(data, index, bits, pattern);
}

}  // namespace

std::string_view DTypeName(DType dtype) { return kDTypes[static_cast<size_t>(dtype)].name; }

std::optional<DType> DTypeFromName(std::string_view name) {
  for (const auto& info : kDTypes) {
    if (info.name == name) return info.dtype;
  }
  return std::nullopt;
}

size_t DTypeBits(DType dtype) { return kDTypes[static_cast<size_t>(dtype)].bits; }

size_t DTypeSize(DType dtype) { return DTypeBits(dtype) / 8; }

bool IsSubByte(DType dtype) { return DTypeBits(dtype) % 8 != 0; }

bool IsFloat(DType dtype) {
  return dtype == DType::kFp16 || dtype == DType::kBf16 || dtype == DType::kFp32 ||
         dtype == DType::kFp64;
}

float ToFloat(Fp16 value) {
  const uint32_t sign = static_cast<uint32_t>(value.bits & 0x8000u) << 16;
  const uint32_t exponent = (value.bits >> 10) & 0x1Fu;
  const uint32_t mantissa = value.bits & 0x3FFu;
  if (exponent == 0) {
    const float magnitude = static_cast<float>(mantissa) * 0x1p-24f;
    return std::bit_cast<float>(std::bit_cast<uint32_t>(magnitude) | sign);
  }
  const uint32_t wide = exponent == 31 ? 255u : exponent + 112u;
  return std::bit_cast<float>(sign | (wide << 23) | (mantissa << 13));
}

float ToFloat(Bf16 value) { return std::bit_cast<float>(static_cast<uint32_t>(value.bits) << 16); }

Fp16 ToFp16(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  const auto sign = static_cast<uint16_t>((bits >> 16) & 0x8000u);
  const uint32_t magnitude = bits & 0x7FFFFFFFu;
  const auto with_sign = [sign](uint32_t half) { return Fp16{static_cast<uint16_t>(sign | half)}; };
  if (magnitude > 0x7F800000u) return with_sign(0x7E00u);
  if (magnitude >= 0x477FF000u) return with_sign(0x7C00u);  // 65520: see DoubleToFp16
  if (magnitude < 0x38800000u) {
    // Below 2^-14 halves are multiples of 2^-24, the last place of floats from 0.5 to 1.
    const float sum = std::bit_cast<float>(magnitude) + 0.5f;
    return with_sign(std::bit_cast<uint32_t>(sum) - std::bit_cast<uint32_t>(0.5f));
  }
  // Half of the 13 bits that are dropped, less one where the last bit kept is even.
  const uint32_t rounded = magnitude + 0xFFFu + ((magnitude >> 13) & 1u);
  return with_sign((rounded - (112u << 23)) >> 13);
}

Fp16 DoubleToFp16(double value) {
  const uint16_t sign = std::signbit(value) ? 0x8000u : 0u;
  if (std::isnan(value)) return Fp16{static_cast<uint16_t>(sign | 0x7E00u)};
  const double magnitude = std::fabs(value);
  // 65520 is the midpoint between the largest finite half and the next power of two.
  if (magnitude >= 65520.0) return Fp16{static_cast<uint16_t>(sign | 0x7C00u)};
  if (magnitude == 0.0) return Fp16{sign};
  int exponent = std::max(std::ilogb(magnitude), -14);
  // In units of the last place the value is below 2048, where doubles hold integers and ties
  // exactly.
  const double ulps = std::ldexp(magnitude, 10 - exponent);
  auto mantissa = static_cast<uint32_t>(std::nearbyint(ulps));
  // A subnormal has no hidden bit; a mantissa that rounded up to 2048 carries into the exponent.
  const uint32_t bits = mantissa + (static_cast<uint32_t>(exponent + 14) << 10);
  return Fp16{static_cast<uint16_t>(sign | bits)};
}

Bf16 ToBf16(float value) {
  uint32_t bits = std::bit_cast<uint32_t>(value);
  if (std::isnan(value)) return Bf16{static_cast<uint16_t>((bits >> 16) | 0x40u)};
  bits += 0x7FFFu + ((bits >> 16) & 1u);
  return Bf16{static_cast<uint16_t>(bits >> 16)};
}

double LoadElement(DType dtype, const void* data, size_t index) {
  switch (dtype) {
    case DType::kFp16:
      return ToFloat(Load<Fp16>(data, index));
    case DType::kBf16:
      return ToFloat(Load<Bf16>(data, index));
    case DType::kFp32:
      return Load<float>(data, index);
    case DType::kFp64:
      return Load<double>(data, index);
    case DType::kInt8:
      return Load<int8_t>(data, index);
    case DType::kUint8:
      return Load<uint8_t>(data, index);
    case DType::kInt16:
      return Load<int16_t>(data, index);
    case DType::kUint16:
      return Load<uint16_t>(data, index);
    case DType::kInt32:
      return Load<int32_t>(data, index);
    case DType::kUint64:
      return static_cast<double>(Load<uint64_t>(data, index));
    case DType::kUint32:
      return Load<uint32_t>(data, index);
    case DType::kInt4:
    case DType::kUint4:
    case DType::kUint1:
    case DType::kUint2:
    case DType::kUint3:
    case DType::kUint6:
      return LoadPart(dtype, data, index);
    case DType::kBool:
      return Load<uint8_t>(data, index) != 0 ? 1.0 : 0.0;
    case DType::kString:
      break;
  }
  return 0.0;
}

void StoreElement(DType dtype, void* data, size_t index, double value) {
  switch (dtype) {
    case DType::kFp16:
      Store(data, index, DoubleToFp16(value));
      break;
    case DType::kBf16:
      Store(data, index, ToBf16(static_cast<float>(value)));
      break;
    case DType::kFp32:
      Store(data, index, static_cast<float>(value));
      break;
    case DType::kFp64:
      Store(data, index, value);
      break;
    case DType::kInt8:
      Store(data, index, Saturate<int8_t>(value));
      break;
    case DType::kUint8:
      Store(data, index, Saturate<uint8_t>(value));
      break;
    case DType::kInt16:
      Store(data, index, Saturate<int16_t>(value));
      break;
    case DType::kUint16:
      Store(data, index, Saturate<uint16_t>(value));
      break;
    case DType::kInt32:
      Store(data, index, Saturate<int32_t>(value));
      break;
    case DType::kUint64:
      Store(data, index, value <= 0 ? uint64_t{0} : static_cast<uint64_t>(value));
      break;
    case DType::kUint32:
      Store(data, index, Saturate<uint32_t>(value));
      break;
    case DType::kInt4:
    case DType::kUint4:
    case DType::kUint1:
    case DType::kUint2:
    case DType::kUint3:
    case DType::kUint6:
      StorePart(dtype, data, index, value);
      break;
    case DType::kBool:
      Store<uint8_t>(data, index, value != 0.0);
      break;
    case DType::kString:
      break;
  }
}

}  // namespace millwright
