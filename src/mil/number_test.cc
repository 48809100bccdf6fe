#include "mil/number.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "base/rng.h"

namespace millwright::mil {
namespace {

template <class T>
std::string Written(DType dtype, T bits) {
  return WriteElement(dtype, &bits);
}

TEST(NumberTest, EveryHalfReadsBackToItsBits) {
  for (const DType dtype : {DType::kFp16, DType::kBf16}) {
    for (uint32_t i = 0; i < 0x10000; ++i) {
      const auto bits = static_cast<uint16_t>(i);
      const std::string text = Written(dtype, bits);
      uint16_t back = 0;
      ASSERT_TRUE(StoreNumber(dtype, text, &back)) << text;
      ASSERT_EQ(back, bits) << text;
    }
  }
}

TEST(NumberTest, RandomFloatsReadBackToTheirBits) {
  const Rng rng(7, StreamId("number"));
  for (uint64_t i = 0; i < 20000; ++i) {
    const auto bits = static_cast<uint32_t>(rng.Bits(i));
    const std::string text = Written(DType::kFp32, bits);
    uint32_t back = 0;
    ASSERT_TRUE(StoreNumber(DType::kFp32, text, &back)) << text;
    ASSERT_EQ(back, bits) << text;
  }
}

TEST(NumberTest, FloatsAreShortAndWithoutExponent) {
  const auto half = [](double value) { return Written(DType::kFp16, DoubleToFp16(value)); };
  EXPECT_EQ(half(0.125), "0.125");
  EXPECT_EQ(half(-1), "-1");
  EXPECT_EQ(half(0.0), "0");
  EXPECT_EQ(half(-0.0), "-0");
  EXPECT_EQ(half(-65504), "-65504");
  EXPECT_EQ(half(0.1), "0.1");
  EXPECT_EQ(half(0.00001), "0.00001");
  EXPECT_EQ(half(std::numeric_limits<double>::infinity()), "inf");
  EXPECT_EQ(half(-std::numeric_limits<double>::infinity()), "-inf");
  EXPECT_EQ(half(std::numeric_limits<double>::quiet_NaN()), "nan");
  EXPECT_EQ(Written(DType::kFp16, uint16_t{0x7E01}), "nan(0x7E01)");
  EXPECT_EQ(Written(DType::kFp32, 0.1f), "0.1");
  EXPECT_EQ(Written(DType::kFp32, 16777216.0f), "16777216");
  EXPECT_EQ(Written(DType::kFp32, 0x1p-100f), "0x1p-100");
  EXPECT_EQ(Written(DType::kFp32, -0x1.8p+100f), "-0x1.8p+100");
}

TEST(NumberTest, IntegersAndBools) {
  EXPECT_EQ(Written(DType::kInt8, int8_t{-128}), "-128");
  EXPECT_EQ(Written(DType::kInt32, std::numeric_limits<int32_t>::min()), "-2147483648");
  EXPECT_EQ(Written(DType::kUint64, std::numeric_limits<uint64_t>::max()), "18446744073709551615");
  EXPECT_EQ(Written(DType::kBool, uint8_t{1}), "true");
}

TEST(NumberTest, ReadsEveryFormOfLiteral) {
  EXPECT_EQ(ReadDouble("0x1p-3"), 0.125);
  EXPECT_EQ(ReadDouble("-0x1.8p+1"), -3.0);
  EXPECT_EQ(ReadDouble("0x10"), 16.0);
  EXPECT_EQ(ReadDouble("1e-5"), 1e-5);
  EXPECT_EQ(ReadDouble("+.5"), 0.5);
  EXPECT_EQ(ReadDouble("1."), 1.0);
  EXPECT_EQ(ReadDouble("123456789012345678901234567890"), 123456789012345678901234567890.0);
  EXPECT_EQ(ReadDouble("0.1000000000000000055511151231257827"), 0.1);
  EXPECT_EQ(ReadDouble("1e300"), 1e300);
  EXPECT_TRUE(std::signbit(*ReadDouble("-0")));
  // 60 bits of mantissa and a tail that decides the rounding.
  EXPECT_EQ(ReadDouble("0x1.00000000000008p0"), 1.0);
  EXPECT_EQ(ReadDouble("0x1.000000000000080000001p0"), 1.0 + 0x1p-52);
}

TEST(NumberTest, RefusesWhatIsNoNumber) {
  for (const char* text : {"", "-", ".", "1e", "1e+", "0x", "0xp3", "0x1p", "1.2.3", "12a", "1e999",
                           "0x1p99999999999", "1 ", " 1", "0x1.2.3", "--1"}) {
    EXPECT_FALSE(ReadDouble(text)) << text;
  }
  for (const char* text : {"", "-", "1.0", "1e3", "0x", "18446744073709551616", "1 "}) {
    EXPECT_FALSE(ReadInteger(text)) << text;
  }
}

TEST(NumberTest, RefusesIntegersOutOfRange) {
  uint64_t element = 0;
  EXPECT_TRUE(StoreNumber(DType::kInt8, "-128", &element));
  EXPECT_FALSE(StoreNumber(DType::kInt8, "-129", &element));
  EXPECT_FALSE(StoreNumber(DType::kInt8, "128", &element));
  EXPECT_FALSE(StoreNumber(DType::kUint8, "-1", &element));
  EXPECT_FALSE(StoreNumber(DType::kInt32, "2147483648", &element));
  EXPECT_FALSE(StoreNumber(DType::kInt32, "1.5", &element));
  EXPECT_FALSE(StoreNumber(DType::kFp16, "nan(0x3C00)", &element));   // 1.0
  EXPECT_FALSE(StoreNumber(DType::kFp16, "nan(0x17E00)", &element));  // 17 bits
  uint16_t half = 0;
  EXPECT_TRUE(StoreNumber(DType::kFp16, "1e6", &half));
  EXPECT_EQ(half, 0x7C00);
}

}  // namespace
}  // namespace millwright::mil
