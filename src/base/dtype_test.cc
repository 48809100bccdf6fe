#include "base/dtype.h"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace millwright
