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
  size_t size;
};

constexpr std::array kDTypes = {
    DTypeInfo{DType::kFp16, "fp16", 2},   DTypeInfo{DType::kBf16, "bf16", 2},
    DTypeInfo{DType::kFp32, "fp32", 4},   DTypeInfo{DType::kFp64, "fp64", 8},
    DTypeInfo{DType::kInt8, "int8", 1},   DTypeInfo{DType::kUint8, "uint8", 1},
    DTypeInfo{DType::kInt16, "int16", 2}, DTypeInfo{DType::kUint16, "uint16", 2},
    DTypeInfo{DType::kInt32, "int32", 4}, DTypeInfo{DType::kUint64, "uint64", 8},
    DTypeInfo{DType::kBool, "bool", 1},   DTypeInfo{DType::kString, "string", 0},
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

}  // namespace

std::string_view DTypeName(DType dtype) { return kDTypes[static_cast<size_t>(dtype)].name; }

std::optional<DType> DTypeFromName(std::string_view name) {
  for (const auto& info : kDTypes) {
    if (info.name == name) return info.dtype;
  }
  return std::nullopt;
}

size_t DTypeSize(DType dtype) { return kDTypes[static_cast<size_t>(dtype)].size; }

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
    case DType::kBool:
      Store<uint8_t>(data, index, value != 0.0);
      break;
    case DType::kString:
      break;
  }
}

}  // namespace millwright
