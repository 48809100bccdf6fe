// Sums of products have no addition of their own, where nothing speaks against it.
#include <functional>

#include "device/cpu/test_blobs.h"
#include "device/cpu/test_support.h"
#include "mil/builder.h"

namespace millwright::device::cpu {
namespace {

using kernels::Binding;
using kernels::KernelId;
using mil::ValueId;

kernels::KernelSpec SpecOf(Binding binding, int64_t batch, bool adapted) {
  kernels::KernelSpec spec = {.config = {.name = "sums",
                                         .title = "sums",
                                         .dim = 20,
                                         .hidden_dim = 36,
                                         .layers = 1,
                                         .heads = 4,
                                         .kv_heads = 2,
                                         .head_dim = 6,
                                         .seq = 11,
                                         .vocab = 8},
                              .binding = binding,
                              .batch = batch};
  if (adapted) {
    using model::TensorRole;
    spec.lora = {.rank = 3, .alpha = 1.5, .targets = {TensorRole::kW1, TensorRole::kW3}};
  }
  return spec;
}

struct KernelSteps {
  std::string text;
  int products = 0, accumulating = 0, elementwise = 0, copies = 0;
};

// The steps of a kernel, whose results are held to the reference.
KernelSteps StepsOf(KernelId id, const kernels::KernelSpec& spec,
                    Precision precision = Precision::kFp32) {
  const kernels::KernelDef& kernel = kernels::Get(id);
  const auto program = kernels::Generate(kernel, spec);
  EXPECT_TRUE(program.ok()) << (program.ok() ? "" : program.error().message);
  const auto weights = WithBlobs(*program, kernel.operands(spec), DType::kFp32);
  ExpectLikeReference(program->program, weights, RandomInputs(program->program, 5, 0.5), 256,
                      precision);
  const std::string text = Explain(program->program, weights, {.precision = precision});
  return {text, Lines(text, " m="), Lines(text, " accumulate x"), Lines(text, "elementwise ["),
          Lines(text, "copy [")};
}

TEST(ProductSum, KernelsAddWhereTheyWrite) {
  for (const KernelId id : {KernelId::kFfnBwdW13t, KernelId::kKvBwd}) {
    for (const Binding binding : {Binding::kSeparate, Binding::kPacked, Binding::kConstant}) {
      for (const int64_t batch : {1, 3}) {
        const KernelSteps steps = StepsOf(id, SpecOf(binding, batch, false));
        SCOPED_TRACE(steps.text);
        EXPECT_EQ(steps.products, 2);
        EXPECT_EQ(steps.accumulating, 1);
        EXPECT_EQ(steps.elementwise, 0);
        EXPECT_EQ(steps.copies, 0);
      }
    }
  }
}

// W x + B (s A x) is two products in the end, and two of those sums are four.
TEST(ProductSum, AdaptersAddToTheirProjection) {
  const KernelSteps forward = StepsOf(KernelId::kFfnFused, SpecOf(Binding::kSeparate, 1, true));
  EXPECT_EQ(forward.products, 3 + 2 * 2) << forward.text;
  EXPECT_EQ(forward.accumulating, 2) << forward.text;
  const KernelSteps backward = StepsOf(KernelId::kFfnBwdW13t, SpecOf(Binding::kSeparate, 1, true));
  EXPECT_EQ(backward.products, 2 + 2 * 2) << backward.text;
  EXPECT_EQ(backward.accumulating, 3) << backward.text;
  EXPECT_EQ(backward.elementwise, 2) << backward.text;
}

TEST(ProductSum, AneRoundsEveryProduct) {
  kernels::KernelSpec spec = SpecOf(Binding::kSeparate, 1, false);
  spec.target = {.dtype = DType::kFp16, .width_multiple = 32};
  const auto program = kernels::Generate(kernels::Get(KernelId::kKvBwd), spec);
  ASSERT_TRUE(program.ok());
  const std::string text =
      Explain(program->program, program->constants, {.precision = Precision::kAne});
  EXPECT_EQ(Lines(text, "\nane gemm"), 2) << text;
  EXPECT_EQ(Lines(text, "evaluate add"), 1) << text;
}

constexpr int64_t kSize = 6;

struct Operands {
  mil::Builder b;
  mil::Type type{DType::kFp32, {1, 2, kSize, kSize}};
  ValueId x = b.Input("x", type), y = b.Input("y", type), z = b.Input("z", type);

  ValueId Product(std::string_view id, ValueId left, ValueId right) {
    return b.Matmul(id, left, right, false, false);
  }
};

using Build = std::function<std::vector<ValueId>(Operands&)>;

std::string Check(const Build& build) {
  Operands operands;
  const std::vector<ValueId> outputs = build(operands);
  const auto built = std::move(operands.b).Finish(outputs);
  EXPECT_TRUE(built.ok()) << (built.ok() ? "" : built.error().message);
  ExpectLikeReference(built->program, built->weights, RandomInputs(built->program, 7), 64);
  return Explain(built->program, built->weights);
}

void ExpectSum(const Build& build, int accumulating) {
  const std::string text = Check(build);
  EXPECT_EQ(Lines(text, " accumulate x"), accumulating) << text;
  EXPECT_EQ(Lines(text, "add]"), 0) << text;
}

void ExpectAddition(const Build& build) {
  const std::string text = Check(build);
  EXPECT_EQ(Lines(text, " accumulate x"), 0) << text;
  EXPECT_EQ(Lines(text, "add]"), 1) << text;
}

TEST(ProductSum, RenamedProductsAreAdded) {
  ExpectSum(
      [](Operands& o) {
        const ValueId turned = o.b.Transpose("t", o.Product("p", o.x, o.y), {0, 1, 3, 2});
        const ValueId sum = o.b.Add("s", turned, o.Product("q", o.y, o.z));
        return std::vector{o.b.Transpose("out", sum, {1, 0, 3, 2})};
      },
      1);
  ExpectSum(
      [](Operands& o) {
        const Shape flat = {2, kSize * kSize};
        const ValueId p = o.b.Reshape("pf", o.Product("p", o.x, o.y), flat);
        const ValueId q = o.b.Reshape("qf", o.Product("q", o.x, o.z), flat);
        return std::vector{o.b.Add("s", p, q)};
      },
      1);
}

// Three products, the first two renamed once they are added, and nobody waits for the output.
TEST(ProductSum, SumsOfSumsAreOne) {
  ExpectSum(
      [](Operands& o) {
        const Shape turned = {2, 1, kSize, kSize};
        const ValueId two = o.b.Add("two", o.Product("p", o.x, o.y), o.Product("q", o.y, o.z));
        const ValueId renamed = o.b.Reshape("renamed", two, turned);
        const ValueId third = o.b.Reshape("r", o.Product("rr", o.z, o.x), turned);
        const ValueId sum = o.b.Add("three", third, renamed);
        return std::vector{o.b.Op("sigmoid", "out", {{"x", sum}})};
      },
      2);
}

TEST(ProductSum, SumsArePartsOfAConcat) {
  ExpectSum(
      [](Operands& o) {
        const ValueId a = o.b.Add("a", o.Product("p", o.x, o.y), o.Product("q", o.y, o.z));
        const ValueId b = o.b.Add("b", o.Product("r", o.z, o.y), o.Product("s", o.y, o.x));
        return std::vector{o.b.Concat("out", {a, b}, 3)};
      },
      2);
}

TEST(ProductSum, ConvsAndLinearLayersAreProducts) {
  ExpectSum(
      [](Operands& o) {
        const std::vector<double> numbers(36, 0.75);
        const ValueId kernel = o.b.Weights("k.bin", {DType::kFp32, {2, 2, 1, 1}}, {1, 2, -3, 0.5});
        const ValueId weight = o.b.Weights("w.bin", {DType::kFp32, {kSize, kSize}}, numbers);
        const ValueId conv = o.b.Op("conv", "c", {{"x", o.x}, {"weight", kernel}});
        const ValueId flat = o.b.Reshape("flat", o.y, {2 * kSize, kSize});
        const ValueId linear = o.b.Op("linear", "l", {{"x", flat}, {"weight", weight}});
        return std::vector{o.b.Add("s", conv, o.b.Reshape("lr", linear, o.type.shape))};
      },
      1);
}

TEST(ProductSum, OnlyProductsThatNobodyElseReads) {
  ExpectAddition([](Operands& o) {  // an output
    const ValueId p = o.Product("p", o.x, o.y);
    return std::vector{o.b.Add("s", p, o.Product("q", o.y, o.z)), p};
  });
  ExpectAddition([](Operands& o) {  // read twice
    const ValueId p = o.Product("p", o.x, o.y);
    return std::vector{o.b.Add("s", p, o.Product("q", p, o.z))};
  });
  ExpectAddition([](Operands& o) {  // by the same addition
    const ValueId p = o.Product("p", o.x, o.y);
    return std::vector{o.b.Add("s", p, p)};
  });
}

TEST(ProductSum, OnlyProducts) {
  ExpectAddition([](Operands& o) {  // a residual
    return std::vector{o.b.Add("s", o.Product("p", o.x, o.y), o.z)};
  });
  ExpectAddition([](Operands& o) {  // a window of one
    const ValueId window = o.b.Slice("w", o.Product("p", o.x, o.y), {0, 0, 0, 0}, {1, 1, 6, 6});
    const ValueId other = o.b.Slice("v", o.x, {0, 0, 0, 0}, {1, 1, 6, 6});
    return std::vector{o.b.Add("s", window, o.Product("q", other, other))};
  });
  ExpectAddition([](Operands& o) {  // attention, by one step
    const ValueId probs = o.b.Softmax("probs", o.b.Matmul("scores", o.x, o.y, false, true), -1);
    const ValueId attended = o.Product("attended", probs, o.z);
    return std::vector{o.b.Add("s", o.Product("p", o.x, o.z), attended)};
  });
}

TEST(ProductSum, OnlyEqualShapes) {
  ExpectAddition([](Operands& o) {
    const ValueId half = o.b.Slice("half", o.x, {0, 0, 0, 0}, {1, 1, 6, 6});
    const ValueId other = o.b.Slice("other", o.y, {0, 1, 0, 0}, {1, 1, 6, 6});
    return std::vector{o.b.Add("s", o.Product("p", o.x, o.y), o.Product("q", half, other))};
  });
}

// (2048 + 1) + 1: neither partial sum nor product is rounded to 11 bits.
TEST(ProductSum, IsRoundedOnceInFp16) {
  mil::Builder b;
  const ValueId x = b.Input("x", {DType::kFp16, {2, 2}}), y = b.Input("y", {DType::kFp16, {2, 2}});
  const ValueId ones = b.Input("ones", {DType::kFp16, {2, 2}});
  const ValueId sum =
      b.Add("s", b.Matmul("p", x, ones, false, false), b.Matmul("q", y, ones, false, false));
  const auto built = std::move(b).Finish({sum});
  ASSERT_TRUE(built.ok());
  const std::vector<Tensor> inputs = {{2048, 1, 1, 2}, {1, 0, 3, 4}, {1, 1, 1, 1}};
  const std::string text = Explain(built->program, built->weights, {.precision = Precision::kFp16});
  EXPECT_EQ(Lines(text, "round [round]"), 1) << text;
  const auto ours = RunProgram(*OpenCpu(Precision::kFp16), built->program, built->weights, inputs);
  const auto theirs =
      RunProgram(*OpenReference(Precision::kFp16), built->program, built->weights, inputs);
  ASSERT_TRUE(ours.ok() && theirs.ok());
  EXPECT_EQ((*ours)[0], (Tensor{2050, 2050, 10, 10}));
  EXPECT_EQ((*theirs)[0], (Tensor{2048, 2048, 10, 10}));
}

TEST(ProductSum, KernelsAreRightInFp16) {
  for (const KernelId id : {KernelId::kFfnBwdW13t, KernelId::kKvBwd}) {
    StepsOf(id, SpecOf(Binding::kPacked, 1, true), Precision::kFp16);
  }
}

}  // namespace
}  // namespace millwright::device::cpu
