#include "math/int8.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/aligned.h"
#include "base/tolerance.h"
#include "math/scalar/int8.h"
#include "math/test_support.h"

namespace millwright::math {
namespace {

using namespace testing;  // NOLINT: the tests' own helpers

// A product [rows, depth] by [depth, columns], with W stored transposed or not.
struct Int8Case {
  int64_t rows, depth, columns;
  bool transposed;
};

std::string Name(const Int8Case& c) {
  return std::to_string(c.rows) + "x" + std::to_string(c.depth) + "x" + std::to_string(c.columns) +
         (c.transposed ? " transposed" : "");
}

// The operands of a case, with rows longer than they must be; and memory for their 8-bit forms.
struct Operands {
  explicit Operands(const Int8Case& shape)
      : c(shape),
        w_stride((c.transposed ? c.rows : c.depth) + 3),
        x_stride(c.columns + 5),
        w(As<float>(Normals((c.transposed ? c.depth : c.rows) * w_stride, 1))),
        x(As<float>(Normals(c.depth * x_stride, 2))),
        w_memory(Int8WeightsBytes(c.rows, c.depth)),
        x_memory(Int8ActivationsBytes(c.depth, c.columns)) {}

  // What y was before.
  static constexpr float kBefore = -1.0f;

  // Of weights that are quantised before, or on the way; in place of what y was, or on top of it.
  std::vector<float> Product(bool fresh = false, bool add = false) {
    const Int8Weights w8 = Int8WeightsIn(c.rows, c.depth, w_memory.data());
    const Int8Activations x8 = Int8ActivationsIn(c.depth, c.columns, x_memory.data());
    QuantizeActivations(x.data(), x_stride, x8);
    Guarded<float> y(std::vector<float>(static_cast<size_t>(c.rows * y_stride()), kBefore), 1);
    const Int8Result to = {y.data(), y_stride(), add};
    if (fresh) {
      Int8GemmOfFresh(w.data(), w_stride, c.transposed, w8, x8, to);
    } else {
      QuantizeWeights(w.data(), w_stride, c.transposed, w8);
      Int8Gemm(w8, x8, to);
    }
    EXPECT_TRUE(y.Intact());
    return y.values();
  }

  scalar::Quantized QuantizedW() const {
    return c.transposed ? scalar::Quantize(c.rows, c.depth, w.data(), 1, w_stride)
                        : scalar::Quantize(c.rows, c.depth, w.data(), w_stride, 1);
  }
  scalar::Quantized QuantizedX() const {
    return scalar::Quantize(c.columns, c.depth, x.data(), 1, x_stride);
  }
  std::vector<float> TwinProduct() const {
    std::vector<float> y(static_cast<size_t>(c.rows * y_stride()), kBefore);
    scalar::Int8Gemm(QuantizedW(), QuantizedX(), y.data(), y_stride());
    return y;
  }

  std::vector<float> TwinSum() const {
    std::vector<float> y = TwinProduct();
    for (int64_t i = 0; i < c.rows; ++i) {
      for (int64_t j = 0; j < c.columns; ++j) y[static_cast<size_t>(i * y_stride() + j)] += kBefore;
    }
    return y;
  }

  float W(int64_t i, int64_t j) const {
    return w[static_cast<size_t>(c.transposed ? j * w_stride + i : i * w_stride + j)];
  }
  float X(int64_t j, int64_t column) const { return x[static_cast<size_t>(j * x_stride + column)]; }
  int64_t y_stride() const { return c.columns + 2; }

  Int8Case c;
  int64_t w_stride, x_stride;
  std::vector<float> w, x;
  AlignedBuffer<std::byte> w_memory, x_memory;
};

std::vector<Int8Case> Cases() {
  std::vector<Int8Case> cases;
  for (const bool transposed : {false, true}) {
    for (const int64_t rows : {1, 12, 29}) {
      for (const int64_t depth : {1, 4, 17, 70}) {
        for (const int64_t columns : {1, 31, 32, 75}) {
          cases.push_back({rows, depth, columns, transposed});
        }
      }
    }
    cases.push_back({205, 33, 300, transposed});  // more than one strip of columns and of rows
  }
  return cases;
}

TEST(Int8Gemm, HasTheBitsOfItsScalarTwin) {
  const auto check = [] {
    for (const Int8Case& c : Cases()) {
      SCOPED_TRACE(Name(c));
      Operands operands(c);
      for (const bool fresh : {false, true}) {
        ASSERT_EQ(operands.Product(fresh), operands.TwinProduct()) << fresh;
        ASSERT_EQ(operands.Product(fresh, true), operands.TwinSum()) << fresh;
      }
    }
  };
  check();  // with whatever this CPU has
  OnEachTarget(check);
}

TEST(Int8Gemm, GivesTheSameBitsOnOneThreadAndOnTwo) {
  for (const bool transposed : {false, true}) {
    Operands operands({205, 33, 300, transposed});
    const int before = GetThreads();
    SetThreads(1);
    const auto one = operands.Product();
    SetThreads(2);
    EXPECT_EQ(operands.Product(), one);
    EXPECT_EQ(operands.Product(true), one);
    SetThreads(before);
  }
}

TEST(Int8Gemm, StaysWithinTheErrorOfRounding) {
  for (const Int8Case& c : {Int8Case{29, 70, 75, false}, Int8Case{29, 70, 75, true}}) {
    Operands operands(c);
    const auto y = operands.Product();
    for (int64_t i = 0; i < c.rows; ++i) {
      for (int64_t column = 0; column < c.columns; ++column) {
        std::vector<double> w, x;
        double exact = 0;
        for (int64_t j = 0; j < c.depth; ++j) {
          w.push_back(operands.W(i, j));
          x.push_back(operands.X(j, column));
          exact += w.back() * x.back();
        }
        ASSERT_LE(std::fabs(y[static_cast<size_t>(i * operands.y_stride() + column)] - exact),
                  Int8DotTolerance(w, x));
      }
    }
  }
}

// The largest values there can be, at the largest depth: 127 * 127 * 65536 < 2^30, and with the
// offset 255 * 127 * 65536 < 2^31.
TEST(Int8Gemm, DoesNotOverflowAtItsDeepest) {
  for (const float sign : {1.0f, -1.0f}) {
    Operands operands({1, kInt8MaxDepth, 1, false});
    std::fill(operands.w.begin(), operands.w.end(), 1.0f);
    std::fill(operands.x.begin(), operands.x.end(), sign);
    const float expected = sign * static_cast<float>(kInt8MaxDepth);
    EXPECT_NEAR(operands.Product()[0], expected, 4 * UnitRoundoff(DType::kFp32) * kInt8MaxDepth);
  }
}

TEST(Int8Gemm, CarriesWhatIsNoNumber) {
  for (const float bad :
       {std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()}) {
    for (const bool transposed : {false, true}) {
      Operands in_w({13, 18, 33, transposed}), in_x({13, 18, 33, transposed});
      in_w.w[static_cast<size_t>(transposed ? 5 * in_w.w_stride + 7 : 7 * in_w.w_stride + 5)] = bad;
      in_x.x[static_cast<size_t>(5 * in_x.x_stride + 32)] = bad;
      const auto from_w = in_w.Product(), from_x = in_x.Product();
      for (int64_t i = 0; i < 13; ++i) {
        for (int64_t column = 0; column < 33; ++column) {
          const auto at = static_cast<size_t>(i * in_w.y_stride() + column);
          EXPECT_EQ(std::isfinite(from_w[at]), i != 7) << i << " " << column;
          EXPECT_EQ(std::isfinite(from_x[at]), column != 32) << i << " " << column;
        }
      }
    }
  }
}

TEST(Int8Gemm, TakesZerosAndTheSmallestNumbers) {
  Operands operands({2, 8, 3, false});
  for (int64_t j = 0; j < 8; ++j) {
    operands.x[static_cast<size_t>(j * operands.x_stride)] = 0.0f;
    operands.x[static_cast<size_t>(j * operands.x_stride + 1)] = 0x1p-149f;
  }
  const auto y = operands.Product();
  EXPECT_EQ(y[0], 0.0f);
  EXPECT_EQ(y[1], 0.0f);
  EXPECT_EQ(y, operands.TwinProduct());
}

TEST(Int8GemmName, SaysWhatThisCpuHas) { EXPECT_EQ(Int8GemmName() == "int8:vnni", HasInt8Dot()); }

}  // namespace
}  // namespace millwright::math
