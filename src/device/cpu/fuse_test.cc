// Chains that read the same values are one step.
#include <functional>

#include "device/cpu/test_support.h"
#include "mil/builder.h"

namespace millwright::device::cpu {
namespace {

using mil::ValueId;

struct Pair {
  mil::Builder b;
  mil::Type type{DType::kFp32, {1, 3, 4, 70}};
  ValueId x = b.Input("x", type), y = b.Input("y", type);

  // One half of a rotation: x y + y * y, or with `op` in the place of the sum.
  ValueId Half(const std::string& id, std::string_view op) {
    const ValueId left = b.Mul(id + "_l", x, y), right = b.Mul(id + "_r", y, y);
    return b.Op(op, id, {{"x", left}, {"y", right}});
  }
};

// How many elementwise steps there are, in a program that is held to the reference.
int ElementwiseSteps(const std::function<std::vector<ValueId>(Pair&)>& build) {
  Pair pair;
  const std::vector<ValueId> outputs = build(pair);
  const auto built = std::move(pair.b).Finish(outputs);
  EXPECT_TRUE(built.ok()) << (built.ok() ? "" : built.error().message);
  ExpectLikeReference(built->program, built->weights, RandomInputs(built->program, 9), 8);
  const std::string text = Explain(built->program, built->weights);
  EXPECT_EQ(Lines(text, "copy ["), 0) << text;
  return Lines(text, "elementwise [");
}

TEST(FuseElementwise, ChainsThatReadTheSameAreOneStep) {
  EXPECT_EQ(ElementwiseSteps([](Pair& p) {
              const ValueId a = p.Half("a", "add"), b = p.Half("b", "sub");
              return std::vector{p.b.Concat("out", {a, b}, 2)};
            }),
            1);
  EXPECT_EQ(ElementwiseSteps([](Pair& p) {
              return std::vector{p.Half("a", "add"), p.Half("b", "sub")};
            }),
            1);
}

TEST(FuseElementwise, OthersAreNot) {
  EXPECT_EQ(ElementwiseSteps([](Pair& p) {  // one reads less
              return std::vector{p.Half("a", "add"), p.b.Mul("b", p.y, p.y)};
            }),
            2);
  EXPECT_EQ(ElementwiseSteps([](Pair& p) {  // the first is asked for before the second is made
              const ValueId a = p.Half("a", "add");
              const ValueId product = p.b.Matmul("p", a, p.x, false, true);
              return std::vector{a, product, p.Half("b", "sub")};
            }),
            2);
  EXPECT_EQ(ElementwiseSteps([](Pair& p) {  // the second lies in another order
              const ValueId a = p.Half("a", "add"), b = p.Half("b", "sub");
              return std::vector{a, p.b.Transpose("t", b, {0, 1, 3, 2})};
            }),
            2);
  EXPECT_EQ(ElementwiseSteps([](Pair& p) {  // too long a chain for both
              ValueId a = p.Half("a", "add"), b = p.Half("b", "sub");
              for (int i = 0; i < 6; ++i) {
                const std::string name = std::to_string(i);
                a = p.b.Add("a" + name, a, a);
                b = p.b.Add("b" + name, b, b);
              }
              return std::vector{a, b};
            }),
            2);
}

}  // namespace
}  // namespace millwright::device::cpu
