#include "math/convert.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>

#include "math/test_support.h"

namespace millwright::math {
namespace {

using namespace testing;  // NOLINT: the tests' own helpers

// Signalling NaN may become quiet on the way; nothing else may differ in a bit.
bool SameFloat(float a, float b) {
  return std::bit_cast<uint32_t>(a) == std::bit_cast<uint32_t>(b) ||
         (std::isnan(a) && std::isnan(b) && std::signbit(a) == std::signbit(b));
}

template <class Half>
std::vector<Half> AllHalves() {
  std::vector<Half> halves;
  for (uint32_t bits = 0; bits < 65536; ++bits) halves.push_back(Half{static_cast<uint16_t>(bits)});
  return halves;
}

// Every half, the floats next to it, the midpoints between halves and the floats next to those,
// and random bit patterns.
template <class Half>
std::vector<float> CriticalFloats() {
  std::vector<float> values;
  for (const Half half : AllHalves<Half>()) {
    const float value = ToFloat(half);
    const float next = ToFloat(Half{static_cast<uint16_t>(half.bits + 1)});
    for (const float center : {value, value / 2 + next / 2}) {
      values.push_back(center);
      values.push_back(std::nextafter(center, HUGE_VALF));
      values.push_back(std::nextafter(center, -HUGE_VALF));
    }
  }
  const Rng rng(1, 2);
  for (uint64_t i = 0; i < 50000; ++i) {
    values.push_back(std::bit_cast<float>(static_cast<uint32_t>(rng.Bits(i))));
  }
  return values;
}

TEST(ConvertTest, EveryHalfBecomesItsFloat) {
  OnEachTarget([] {
    const auto fp16 = AllHalves<Fp16>();
    const auto bf16 = AllHalves<Bf16>();
    std::vector<float> a(fp16.size()), b(bf16.size());
    ConvertToFloat(65536, fp16.data(), a.data());
    ConvertToFloat(65536, bf16.data(), b.data());
    for (size_t i = 0; i < fp16.size(); ++i) {
      ASSERT_TRUE(SameFloat(a[i], ToFloat(fp16[i]))) << "fp16 " << i << " became " << a[i];
      ASSERT_TRUE(SameFloat(b[i], ToFloat(bf16[i]))) << "bf16 " << i << " became " << b[i];
    }
  });
}

TEST(ConvertTest, FloatsRoundAsTheScalarsDo) {
  const auto for_fp16 = CriticalFloats<Fp16>(), for_bf16 = CriticalFloats<Bf16>();
  OnEachTarget([&] {
    std::vector<Fp16> fp16(for_fp16.size());
    std::vector<Bf16> bf16(for_bf16.size());
    ConvertToFp16(static_cast<int64_t>(fp16.size()), for_fp16.data(), fp16.data());
    ConvertToBf16(static_cast<int64_t>(bf16.size()), for_bf16.data(), bf16.data());
    for (size_t i = 0; i < fp16.size(); ++i) {
      ASSERT_EQ(fp16[i].bits, ToFp16(for_fp16[i]).bits) << for_fp16[i];
    }
    for (size_t i = 0; i < bf16.size(); ++i) {
      ASSERT_EQ(bf16[i].bits, ToBf16(for_bf16[i]).bits) << for_bf16[i];
    }
  });
}

TEST(ConvertTest, EveryCountStaysInItsArray) {
  OnEachTarget([] {
    for (int64_t count = 0; count <= kTwoVectors; ++count) {
      const auto from = As<float>(Normals(count, 1));
      Guarded<float> back(from, 1);
      std::vector<Fp16> halves(static_cast<size_t>(count) + 2, Fp16{0xABCD});
      ConvertToFp16(count, from.data(), halves.data() + 1);
      EXPECT_EQ(halves.front().bits, 0xABCD);
      EXPECT_EQ(halves.back().bits, 0xABCD);
      ConvertToFloat(count, halves.data() + 1, back.data());
      EXPECT_TRUE(back.Intact());
      for (int64_t i = 0; i < count; ++i) {
        EXPECT_EQ(back.data()[i], ToFloat(ToFp16(from[i])));
      }
    }
  });
}

TEST(ConvertTest, BlocksOfEveryPairOfTypesAgreeWithElements) {
  const DType types[] = {DType::kFp16, DType::kBf16, DType::kFp32, DType::kFp64};
  const int64_t rows = 70, columns = 67, from_stride = 69;
  const auto values = Normals(rows * from_stride, 1);
  for (const DType from_type : types) {
    for (const DType to_type : types) {
      for (const bool transpose : {false, true}) {
        const int64_t to_stride = (transpose ? rows : columns) + 3;
        const int64_t size = (transpose ? columns : rows) * to_stride;
        std::vector<std::byte> from(values.size() * 8), to(static_cast<size_t>(size) * 8),
            expected(to.size());
        for (size_t i = 0; i < values.size(); ++i)
          StoreElement(from_type, from.data(), i, values[i]);
        for (int64_t r = 0; r < rows; ++r) {
          for (int64_t c = 0; c < columns; ++c) {
            StoreElement(to_type, expected.data(),
                         transpose ? c * to_stride + r : r * to_stride + c,
                         LoadElement(from_type, from.data(), r * from_stride + c));
          }
        }
        ConvertBlock(rows, columns, from_type, from.data(), from_stride, to_type, to.data(),
                     to_stride, transpose);
        EXPECT_EQ(to, expected) << DTypeName(from_type) << " to " << DTypeName(to_type)
                                << (transpose ? " transposed" : "");
      }
    }
  }
}

}  // namespace
}  // namespace millwright::math
