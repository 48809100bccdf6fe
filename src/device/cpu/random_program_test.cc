// Programs put together at random, against the reference.
#include "device/cpu/test_support.h"
#include "mil/builder.h"

namespace millwright::device::cpu {
namespace {

using mil::ValueId;

// Grows a program from two inputs, each step using values that are there already.
class Grower {
 public:
  explicit Grower(uint64_t seed) : rng_(seed, 7) {
    for (const char* name : {"p", "q"}) {
      values_.push_back(b_.Input(name, {DType::kFp32, {1, 6, 4, 12}}));
    }
  }

  Result<mil::Builder::Built> Grow(int steps) && {
    for (int i = 0; i < steps; ++i) values_.push_back(Next(fmt::format("v{}", i)));
    // The last value, and one from the middle, which must then be materialised.
    std::vector<ValueId> outputs = {values_.back()};
    const ValueId middle = values_[values_.size() / 2];
    if (values_.size() / 2 >= 2 && middle != outputs[0]) outputs.push_back(middle);
    return std::move(b_).Finish(outputs);
  }

 private:
  uint64_t Below(uint64_t bound) { return rng_.Below(draw_++, bound); }
  ValueId Any() { return values_[Below(values_.size())]; }
  const Shape& ShapeOf(ValueId value) { return b_.type(value).shape; }

  // A value of the same shape as `x`: often another one, always at least x itself.
  ValueId Like(ValueId x) {
    for (int tries = 0; tries < 4; ++tries) {
      const ValueId y = Any();
      if (ShapeOf(y) == ShapeOf(x)) return y;
    }
    return x;
  }

  ValueId Next(const std::string& id) {
    const ValueId x = Any();
    const Shape shape = ShapeOf(x);
    switch (Below(10)) {
      case 0:
        return b_.Transpose(id, x, {0, 1, 3, 2});
      case 1:
        return b_.Transpose(id, x, {0, 3, 1, 2});
      case 2:
        return Halve(id, x);
      case 3:
        return b_.Reshape(id, x, {1, shape[1] * shape[2], 1, shape[3]});
      case 4:
        return b_.Add(id, x, Like(x));
      case 5:
        return b_.Mul(id, x, Like(x));
      case 6:
        return b_.Op(Below(2) == 0 ? "sigmoid" : "tanh", id, {{"x", x}});
      case 7:
        return b_.Concat(id, {x, Like(x)}, static_cast<int64_t>(1 + Below(3)));
      case 8:
        return Below(2) == 0 ? b_.Softmax(id, x, -1) : WithSum(id, x);
      default:
        return Product(id, x);
    }
  }

  ValueId Halve(const std::string& id, ValueId x) {
    Shape size = ShapeOf(x), begin(4, 0);
    const size_t axis = 1 + Below(3);
    if (size[axis] < 2) return x;
    begin[axis] = static_cast<int64_t>(Below(2));
    size[axis] /= 2;
    return b_.Slice(id, x, begin, size);
  }

  // A reduction that is broadcast again.
  ValueId WithSum(const std::string& id, ValueId x) {
    const ValueId sum = b_.ReduceSum(id + "_sum", x, static_cast<int64_t>(1 + Below(3)));
    return b_.Sub(id, x, b_.Mul(id + "_mean", sum, b_.Float(DType::kFp32, 0.125)));
  }

  // x times a value transposed to fit, scaled so that numbers stay of order one.
  ValueId Product(const std::string& id, ValueId x) {
    const ValueId y = Like(x);
    const ValueId z = b_.Matmul(id + "_mm", x, y, false, true);
    return b_.Mul(id, z, b_.Float(DType::kFp32, 0.25));
  }

  Rng rng_;
  uint64_t draw_ = 0;
  mil::Builder b_;
  std::vector<ValueId> values_;
};

class RandomProgram : public testing::TestWithParam<Precision> {};

TEST_P(RandomProgram, MatchesTheReference) {
  for (uint64_t seed = 0; seed < 120; ++seed) {
    auto built = Grower(seed).Grow(4 + static_cast<int>(seed % 9));
    ASSERT_TRUE(built.ok()) << "seed " << seed << ": " << built.error().message;
    const auto explained =
        ExplainProgram(built->program, built->weights, {.precision = GetParam()});
    ASSERT_TRUE(explained.ok()) << explained.error().message;
    SCOPED_TRACE(fmt::format("seed {}\n{}", seed, *explained));
    const auto inputs = RandomInputs(built->program, seed, 0.5);
    // The longest sums have a few hundred terms, a dozen operations follow each other.
    ExpectLikeReference(built->program, built->weights, inputs, 512 * 12, GetParam());
    if (HasFailure()) return;
  }
}

INSTANTIATE_TEST_SUITE_P(Precisions, RandomProgram,
                         testing::Values(Precision::kFp32, Precision::kFp16));

}  // namespace
}  // namespace millwright::device::cpu
