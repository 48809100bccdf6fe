// Random programs against naive loops, round trips, and the precisions against each other.
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "base/tolerance.h"
#include "device/ports.h"
#include "mil/builder.h"
#include "tests/mil/program_runner.h"

namespace millwright {
namespace {

using mil::Builder;
using mil::ValueId;

// Builds a program with one output, runs it, and returns that output's elements.
std::vector<double> Evaluate(const Target& target, Builder builder, ValueId output,
                             const Values& inputs) {
  auto built = std::move(builder).Finish({output});
  if (!built) {
    ADD_FAILURE() << built.error().message;
    return {};
  }
  auto device = target.open({.precision = target.precision});
  if (!device) {
    ADD_FAILURE() << device.error().message;
    return {};
  }
  auto outputs = RunProgram(**device, built->program, built->weights, inputs);
  if (!outputs) {
    ADD_FAILURE() << outputs.error().message;
    return {};
  }
  return outputs->front();
}

class Random {
 public:
  explicit Random(uint64_t seed) : engine_(seed) {}
  int64_t Int(int64_t low, int64_t high) {
    return std::uniform_int_distribution<int64_t>(low, high)(engine_);
  }
  // Numbers of fp16, so that no device rounds them on the way in.
  std::vector<double> Halves(int64_t count, double low = -1.0, double high = 1.0) {
    std::uniform_real_distribution<double> uniform(low, high);
    std::vector<double> values(static_cast<size_t>(count));
    for (double& value : values) value = ToFloat(DoubleToFp16(uniform(engine_)));
    return values;
  }
  Shape AnyShape(size_t rank, int64_t longest) {
    Shape shape(rank);
    for (int64_t& dim : shape) dim = Int(1, longest);
    return shape;
  }
  template <class T>
  void Shuffle(std::vector<T>* values) {
    std::shuffle(values->begin(), values->end(), engine_);
  }

 private:
  std::mt19937_64 engine_;
};

// The bound for a sum of k products of numbers of at most 1: rounding to the storage dtype once
// after a sum in double or wider than it; on the ANE each product loses less than 2^-15 (the
// dropped ones are below 2^-15, the cut ones lose 2^-16), fact E1.
double ProductTolerance(const Target& target, int64_t k, double expected) {
  const Precision precision = target.precision;
  const DType storage = device::FloatStorage(precision);
  // The reference sums in double, other devices in fp32.
  const DType sums = target.device == "reference" ? DType::kFp64 : DType::kFp32;
  const double terms = static_cast<double>(k);
  if (precision == Precision::kExact) return Gamma(DType::kFp64, 2 * k + 2) * terms;
  const double cut = precision == Precision::kAne ? terms * 0x1p-15 : 0.0;
  return Gamma(storage, 1) * (std::fabs(expected) + cut) + SmallestPositive(storage) + cut +
         Gamma(sums, 2 * k + 2) * terms;
}

// x[i, j] of matrix number b of a stack; `rows` and `columns` as stored.
double At(const std::vector<double>& x, int64_t b, int64_t rows, int64_t columns, int64_t i,
          int64_t j, bool transpose) {
  return x[static_cast<size_t>((b * rows + (transpose ? j : i)) * columns + (transpose ? i : j))];
}

class MilProperties : public ::testing::TestWithParam<Target> {};

INSTANTIATE_TEST_SUITE_P(Devices, MilProperties, ::testing::ValuesIn(ComputingTargets()),
                         [](const auto& param) { return param.param.name(); });

void CheckMatmul(const Target& target, Random* random) {
  const int64_t batch = random->Int(1, 3), m = random->Int(1, 17), n = random->Int(1, 19);
  const int64_t k = random->Int(1, 200);
  const bool tx = random->Int(0, 1) == 1, ty = random->Int(0, 1) == 1;
  const bool shared = random->Int(0, 1) == 1;  // one y for the whole batch
  const int64_t batch_y = shared ? 1 : batch;
  const Shape shape_x = tx ? Shape{batch, k, m} : Shape{batch, m, k};
  const Shape shape_y = ty ? Shape{batch_y, n, k} : Shape{batch_y, k, n};
  const auto x = random->Halves(NumElements(shape_x));
  const auto y = random->Halves(NumElements(shape_y));
  Builder builder;
  const ValueId in_x = builder.Input("x", {DType::kFp16, shape_x});
  const ValueId in_y = builder.Input("y", {DType::kFp16, shape_y});
  const ValueId out = builder.Matmul("z", in_x, in_y, tx, ty);
  const auto z = Evaluate(target, std::move(builder), out, {x, y});
  ASSERT_EQ(static_cast<int64_t>(z.size()), batch * m * n);
  for (int64_t b = 0; b < batch; ++b) {
    for (int64_t i = 0; i < m; ++i) {
      for (int64_t j = 0; j < n; ++j) {
        double expected = 0.0;
        for (int64_t p = 0; p < k; ++p) {
          expected += At(x, b, shape_x[1], shape_x[2], i, p, tx) *
                      At(y, shared ? 0 : b, shape_y[1], shape_y[2], p, j, ty);
        }
        ASSERT_NEAR(z[static_cast<size_t>((b * m + i) * n + j)], expected,
                    ProductTolerance(target, k, expected))
            << ShapeToString(shape_x) << (tx ? "^T " : " ") << ShapeToString(shape_y)
            << (ty ? "^T" : "");
      }
    }
  }
}

TEST_P(MilProperties, MatmulIsASumOfProducts) {
  Random random(11);
  for (int i = 0; i < 20; ++i) CheckMatmul(GetParam(), &random);
}

// A convolution of two spatial axes with everything drawn at random.
struct ConvCase {
  int64_t batch, groups, in, out;  // channels of one group
  std::vector<int64_t> size, kernel, stride, dilation, pad;
  Shape x, weight;
};

ConvCase DrawConv(Random* random) {
  ConvCase c{random->Int(1, 2), random->Int(1, 3), random->Int(1, 4), random->Int(1, 4)};
  for (int axis = 0; axis < 2; ++axis) {
    c.size.push_back(random->Int(6, 9));
    c.kernel.push_back(random->Int(1, 3));
    c.stride.push_back(random->Int(1, 3));
    c.dilation.push_back(random->Int(1, 2));
    c.pad.push_back(random->Int(0, 2));
    c.pad.push_back(random->Int(0, 2));
  }
  c.x = {c.batch, c.groups * c.in, c.size[0], c.size[1]};
  c.weight = {c.groups * c.out, c.in, c.kernel[0], c.kernel[1]};
  return c;
}

double NaiveConv(const ConvCase& c, const std::vector<double>& x, const std::vector<double>& weight,
                 int64_t n, int64_t o, int64_t i, int64_t j) {
  const auto at_x = RowMajorStrides(c.x);
  const auto at_w = RowMajorStrides(c.weight);
  double sum = 0.0;
  for (int64_t ch = 0; ch < c.in; ++ch) {
    for (int64_t p = 0; p < c.kernel[0]; ++p) {
      for (int64_t q = 0; q < c.kernel[1]; ++q) {
        const int64_t row = i * c.stride[0] - c.pad[0] + p * c.dilation[0];
        const int64_t column = j * c.stride[1] - c.pad[2] + q * c.dilation[1];
        if (row < 0 || row >= c.size[0] || column < 0 || column >= c.size[1]) continue;
        const int64_t channel = o / c.out * c.in + ch;
        sum += weight[static_cast<size_t>(o * at_w[0] + ch * at_w[1] + p * at_w[2] + q)] *
               x[static_cast<size_t>(n * at_x[0] + channel * at_x[1] + row * at_x[2] + column)];
      }
    }
  }
  return sum;
}

void CheckConv(const Target& target, Random* random) {
  const ConvCase c = DrawConv(random);
  const auto x = random->Halves(NumElements(c.x));
  const auto weight = random->Halves(NumElements(c.weight));
  Builder builder;
  const ValueId in = builder.Input("x", {DType::kFp16, c.x});
  const ValueId w = builder.Weights("w.bin", {DType::kFp16, c.weight}, weight);
  const ValueId out = builder.Op("conv", "y",
                                 {{"x", in},
                                  {"weight", w},
                                  {"strides", builder.Ints(c.stride)},
                                  {"pad_type", builder.Text("custom")},
                                  {"pad", builder.Ints(c.pad)},
                                  {"dilations", builder.Ints(c.dilation)},
                                  {"groups", builder.Int(c.groups)}});
  const Shape shape = builder.type(out).shape;
  const auto y = Evaluate(target, std::move(builder), out, {x});
  ASSERT_EQ(static_cast<int64_t>(y.size()), NumElements(shape));
  size_t at = 0;
  for (int64_t n = 0; n < shape[0]; ++n) {
    for (int64_t o = 0; o < shape[1]; ++o) {
      for (int64_t i = 0; i < shape[2]; ++i) {
        for (int64_t j = 0; j < shape[3]; ++j, ++at) {
          const double expected = NaiveConv(c, x, weight, n, o, i, j);
          const int64_t terms = c.in * c.kernel[0] * c.kernel[1];
          ASSERT_NEAR(y[at], expected, ProductTolerance(target, terms, expected));
        }
      }
    }
  }
}

TEST_P(MilProperties, ConvIsASumOfProducts) {
  Random random(12);
  for (int i = 0; i < 20; ++i) CheckConv(GetParam(), &random);
}

TEST_P(MilProperties, ReshapeAndTransposeUndoThemselves) {
  Random random(13);
  for (int i = 0; i < 20; ++i) {
    const Shape shape = random.AnyShape(static_cast<size_t>(random.Int(1, 5)), 4);
    std::vector<int64_t> perm(shape.size());
    for (size_t axis = 0; axis < perm.size(); ++axis) perm[axis] = static_cast<int64_t>(axis);
    random.Shuffle(&perm);
    std::vector<int64_t> inverse(perm.size());
    for (size_t axis = 0; axis < perm.size(); ++axis) {
      inverse[static_cast<size_t>(perm[axis])] = static_cast<int64_t>(axis);
    }
    Builder builder;
    const ValueId x = builder.Input("x", {DType::kFp16, shape});
    const ValueId turned = builder.Transpose("turned", x, perm);
    const Shape turned_shape = builder.type(turned).shape;
    const ValueId flat = builder.Reshape("flat", turned, {NumElements(shape)});
    const ValueId again = builder.Reshape("again", flat, turned_shape);
    const ValueId back = builder.Transpose("back", again, inverse);
    const auto values = random.Halves(NumElements(shape));
    EXPECT_EQ(Evaluate(GetParam(), std::move(builder), back, {values}), values)
        << ShapeToString(shape) << ShapeToString(perm);
  }
}

TEST_P(MilProperties, SlicesJoinToTheWhole) {
  Random random(14);
  for (int i = 0; i < 20; ++i) {
    Shape shape = random.AnyShape(static_cast<size_t>(random.Int(1, 4)), 5);
    const auto axis = static_cast<size_t>(random.Int(0, static_cast<int64_t>(shape.size()) - 1));
    shape[axis] += 1;
    const int64_t cut = random.Int(1, shape[axis] - 1);
    Shape begin(shape.size(), 0), head = shape, tail = shape;
    head[axis] = cut;
    tail[axis] = shape[axis] - cut;
    Builder builder;
    const ValueId x = builder.Input("x", {DType::kFp16, shape});
    const ValueId first = builder.Slice("head", x, begin, head);
    begin[axis] = cut;
    const ValueId second = builder.Slice("tail", x, begin, tail);
    const ValueId whole = builder.Concat("whole", {first, second}, static_cast<int64_t>(axis));
    const auto values = random.Halves(NumElements(shape));
    EXPECT_EQ(Evaluate(GetParam(), std::move(builder), whole, {values}), values)
        << ShapeToString(shape) << " at " << cut << " of axis " << axis;
  }
}

// Rows of a softmax sum to 1, and a constant added to all of them changes nothing.
TEST_P(MilProperties, SoftmaxSumsToOne) {
  if (GetParam().precision == Precision::kAne) GTEST_SKIP() << "reduce_sum is narrow there (E5)";
  Random random(15);
  for (int64_t axis = 0; axis < 3; ++axis) {
    const Shape shape{3, 5, 7};
    Builder builder;
    const ValueId x = builder.Input("x", {DType::kFp16, shape});
    const ValueId sums = builder.ReduceSum("sums", builder.Softmax("p", x, axis), axis);
    const auto values = random.Halves(NumElements(shape), -4.0, 4.0);
    const DType storage = device::FloatStorage(GetParam().precision);
    for (double sum : Evaluate(GetParam(), std::move(builder), sums, {values})) {
      EXPECT_NEAR(sum, 1.0, Gamma(storage, shape[static_cast<size_t>(axis)] + 2));
    }
  }
}

// One layer of an MLP with a residual: the lower precisions stay within the bounds of their
// rounding of the exact result, and are not exact by accident.
TEST(MilPrecisions, LieWithinTheirRoundings) {
  Random random(16);
  const int64_t width = 48, hidden = 64, length = 8;
  const auto x = random.Halves(width * length);
  const auto w1 = random.Halves(hidden * width, -0.25, 0.25);
  const auto w2 = random.Halves(width * hidden, -0.25, 0.25);
  std::map<Precision, std::vector<double>> results;
  for (const Target& target : ComputingTargets()) {
    if (target.device != "reference") continue;
    Builder builder;
    const ValueId in = builder.Input("x", {DType::kFp16, {width, length}});
    const ValueId a = builder.Input("w1", {DType::kFp16, {hidden, width}});
    const ValueId b = builder.Input("w2", {DType::kFp16, {width, hidden}});
    const ValueId h = builder.Matmul("h", a, in, false, false);
    const ValueId g = builder.Mul("g", h, builder.Op("sigmoid", "s", {{"x", h}}));
    const ValueId y = builder.Add("y", in, builder.Matmul("d", b, g, false, false));
    results[target.precision] = Evaluate(target, std::move(builder), y, {x, w1, w2});
  }
  // h is at most |w1| |x|; every step passes its relative error on, magnified by |w2| at most.
  const double magnitude =
      0.25 * static_cast<double>(hidden) * 0.25 * static_cast<double>(width) + 1.0;
  for (const auto& [precision, storage] :
       {std::pair{Precision::kFp32, DType::kFp32}, std::pair{Precision::kFp16, DType::kFp16}}) {
    // Roundings of h, s, g, d, y; h counts twice (its error reaches g directly and through s).
    const Tolerance tolerance{.absolute = Gamma(storage, 6) * magnitude};
    const Comparison comparison =
        Compare(results[precision], results[Precision::kExact], tolerance);
    EXPECT_TRUE(comparison.ok) << comparison.Message();
    EXPECT_NE(results[precision], results[Precision::kExact]);
  }
  EXPECT_NE(results[Precision::kAne], results[Precision::kFp16]);
}

}  // namespace
}  // namespace millwright
