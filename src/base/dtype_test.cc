#include "base/dtype.h"

#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <cmath>
#include <limits>

namespace millwright {
namespace {

// Floats at, beside and half way between all halves, where rounding is decided.
TEST(DType, FloatsRoundToTheHalfThatDoublesRoundTo) {
  for (uint32_t bits = 0; bits < 0x7C00; ++bits) {
    const float half = ToFloat(Fp16{static_cast<uint16_t>(bits)});
    const float next =
        bits + 1 < 0x7C00 ? ToFloat(Fp16{static_cast<uint16_t>(bits + 1)}) : 65536.0f;
    for (const float value : {half, (half + next) / 2}) {
      for (const float near : {value, std::nextafter(value, 0.0f), std::nextafter(value, 1e9f)}) {
        ASSERT_EQ(ToFp16(near), DoubleToFp16(near)) << near;
        ASSERT_EQ(ToFp16(-near), DoubleToFp16(-near)) << near;
      }
    }
    ASSERT_EQ(ToFp16(half).bits, bits);
  }
  for (const float value :
       {1e-40f, 0x1p-26f, 70000.0f, 3e38f, INFINITY, std::numeric_limits<float>::quiet_NaN()}) {
    EXPECT_EQ(ToFp16(value), DoubleToFp16(value)) << value;
    EXPECT_EQ(ToFp16(-value), DoubleToFp16(-value)) << value;
  }
}

TEST(DType, Bf16RoundsTiesToEven) {
  EXPECT_EQ(ToFloat(ToBf16(1.0f + 0x1p-8f)), 1.0f);
  EXPECT_EQ(ToFloat(ToBf16(1.0f + 0x3p-8f)), 1.0f + 0x1p-6f);
  EXPECT_EQ(ToFloat(ToBf16(1.0f + 0x1.01p-8f)), 1.0f + 0x1p-7f);
  EXPECT_TRUE(std::isinf(ToFloat(ToBf16(3.4e38f))));
  EXPECT_TRUE(std::isnan(ToFloat(ToBf16(std::bit_cast<float>(0x7F800001u)))));
}

// Nine elements of 3 and 6 bits straddle bytes; what is not written stays.
TEST(DType, PartsOfAByteArePackedFromTheLowestBit) {
  for (const DType dtype :
       {DType::kInt4, DType::kUint4, DType::kUint1, DType::kUint2, DType::kUint3, DType::kUint6}) {
    const int range = 1 << DTypeBits(dtype);
    const int low = dtype == DType::kInt4 ? -8 : 0;
    std::array<uint8_t, 8> bytes;
    bytes.fill(0xFF);
    for (int i = 0; i < 9; ++i) StoreElement(dtype, bytes.data(), i, low + 5 * i % range);
    for (int i = 0; i < 9; ++i) {
      EXPECT_EQ(LoadElement(dtype, bytes.data(), i), low + 5 * i % range) << DTypeName(dtype) << i;
    }
    EXPECT_EQ(bytes[7], 0xFF);
    EXPECT_EQ(DTypeSize(dtype), 0u);
    EXPECT_TRUE(IsSubByte(dtype));
    EXPECT_EQ(DTypeFromName(DTypeName(dtype)), dtype);
    StoreElement(dtype, bytes.data(), 1, 1000);
    EXPECT_EQ(LoadElement(dtype, bytes.data(), 1), low + range - 1);
    StoreElement(dtype, bytes.data(), 1, -1000);
    EXPECT_EQ(LoadElement(dtype, bytes.data(), 1), low);
  }
  std::array<uint8_t, 2> bytes{};
  for (int i = 0; i < 5; ++i) StoreElement(DType::kUint3, bytes.data(), i, i);
  // 100 011 010 001 000 from the last element to the first.
  EXPECT_EQ(bytes, (std::array<uint8_t, 2>{0b10001000, 0b01000110}));
  EXPECT_FALSE(IsSubByte(DType::kString) || IsSubByte(DType::kBool));
}

}  // namespace
}  // namespace millwright
