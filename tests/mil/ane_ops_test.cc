// Operations in the ANE's arithmetic, on both devices that have it: vectors worked out by hand from
// the published rules (docs/ane.md).
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/ane_tables.h"
#include "device/cpu/cpu_device.h"
#include "device/reference/reference_device.h"
#include "mil/builder.h"
#include "tests/mil/program_runner.h"

namespace millwright {
namespace {

using mil::Builder;
using mil::ValueId;

constexpr double kInf = std::numeric_limits<double>::infinity();

using Open = Result<std::unique_ptr<device::Device>> (*)(const device::DeviceOptions&);

Result<std::unique_ptr<device::Device>> OpenCpu(const device::DeviceOptions& options) {
  return device::OpenCpuDevice(options);
}

class AneOpsTest : public ::testing::TestWithParam<Open> {
 protected:
  // The result of `write` for an fp16 input [1, 1, 1, n].
  std::vector<double> Run(const std::vector<double>& in,
                          const std::function<ValueId(Builder&, ValueId)>& write,
                          const AneRules& rules = {}) {
    Builder builder;
    const ValueId a =
        builder.Input("a", {DType::kFp16, {1, 1, 1, static_cast<int64_t>(in.size())}});
    const ValueId result = write(builder, a);
    auto built = std::move(builder).Finish({result});
    EXPECT_TRUE(built.ok()) << (built.ok() ? "" : built.error().message);
    auto device = GetParam()({.precision = Precision::kAne, .ane_rules = rules});
    EXPECT_TRUE(device.ok());
    auto outputs = RunProgram(**device, built->program, built->weights, {in});
    EXPECT_TRUE(outputs.ok()) << (outputs.ok() ? "" : outputs.error().message);
    return outputs->front();
  }

  std::vector<double> Unary(std::string_view op, const std::vector<double>& in,
                            const AneRules& rules = {}) {
    return Run(
        in,
        [&](Builder& b, ValueId a) {
          return b.Op(op, "r", {{"x", a}});
        },
        rules);
  }
};

double Half(double value) { return Numerics(Precision::kAne).Round(value, DType::kFp16); }

TEST_P(AneOpsTest, ActivationsComeFromTables) {
  const std::vector<double> in = {0.25, -0.25, 3.3125, 9.0, -9.0};
  const std::pair<const char*, double (*)(double)> tables[] = {
      {"sigmoid", AneSigmoid}, {"silu", AneSilu}, {"tanh", AneTanh}, {"exp", AneExp}};
  for (const auto& [op, table] : tables) {
    const auto out = Unary(op, in);
    for (size_t i = 0; i < in.size(); ++i) EXPECT_EQ(out[i], Half(table(in[i]))) << op << i;
  }
  EXPECT_EQ(Unary("tanh", {4.0078125})[0], 1.0);
  const AneRules exact = AneRules().Set(AneRule::kTables, false);
  EXPECT_EQ(Unary("sigmoid", {0.25}, exact)[0], Half(1 / (1 + std::exp(-0.25))));
}

TEST_P(AneOpsTest, InfinitiesAndNansAreReadAsNumbers) {
  const auto plus_one = [](Builder& b, ValueId a) {
    return b.Add("r", a, b.Float(DType::kFp16, 1.0));
  };
  EXPECT_EQ(Run({std::nan("")}, plus_one)[0], kInf) << "98305 is beyond fp16";
  const auto times = [](Builder& b, ValueId a) {
    return b.Mul("r", a, b.Float(DType::kFp16, -0.7998046875));
  };
  EXPECT_EQ(Run({kInf}, times)[0], -52416.0);
  EXPECT_EQ(Run({kInf, -kInf},
                [](Builder& b, ValueId a) { return b.Mul("r", a, b.Float(DType::kFp16, 0.5)); }),
            (std::vector<double>{32768.0, -32768.0}));
}

TEST_P(AneOpsTest, SmallArgumentsAreInfinite) {
  EXPECT_EQ(Unary("log", {0x1p-17, 0x1p-16})[0], -kInf);
  EXPECT_EQ(Unary("log", {0x1p-16})[0], Half(std::log(0x1p-16)));
  EXPECT_EQ(Unary("rsqrt", {0x1p-17})[0], kInf);
  EXPECT_EQ(Unary("rsqrt", {0x1p-16})[0], 256.0);
  const AneRules off = AneRules().Set(AneRule::kSmallArguments, false);
  EXPECT_EQ(Unary("log", {0x1p-17}, off)[0], Half(std::log(0x1p-17)));
}

TEST_P(AneOpsTest, SlicesClamp) {
  const std::vector<double> in = {5000, 4094, 4096, -4096};
  const auto slice = [](int64_t begin) {
    return [begin](Builder& b, ValueId a) {
      return b.Slice("r", a, {0, 0, 0, begin}, {1, 1, 1, 4 - begin});
    };
  };
  const AneRules clamp = AneRules().Set(AneRule::kSliceClamp, true);
  EXPECT_EQ(Run(in, slice(1), clamp), (std::vector<double>{4094, kInf, -kInf}));
  EXPECT_EQ(Run(in, slice(0), clamp), in);
  EXPECT_EQ(Run(in, slice(1)), (std::vector<double>{4094, 4096, -4096}));
}

TEST_P(AneOpsTest, ReductionsAreNarrowAndMatmulsAreNot) {
  const std::vector<double> in(2050, 1.0);
  EXPECT_EQ(Run(in, [](Builder& b, ValueId a) { return b.ReduceSum("r", a, 3); })[0], 2052.0)
      << "2049 is rounded to 2050, 2051 to 2052";
  EXPECT_EQ(
      Run(in,
          [](Builder& b, ValueId a) {
            const std::vector<double> ones(2050, 1.0);
            const ValueId column = b.Weights("ones.bin", {DType::kFp16, {1, 1, 2050, 1}}, ones);
            return b.Matmul("r", a, column, false, false);
          })[0],
      2050.0);
}

// e^-1 by table: -1 / ln 2 is -1.4423828125 in fp16, 2^-2 times the table at 0.5576171875, which
// lies 0.84375 of the way from sample 17 (1.4453125) to sample 18 (1.4765625).
TEST_P(AneOpsTest, SoftmaxUsesTheTableOfExp) {
  const double e = 0.25 * (1.4453125 + 0.84375 * (1.4765625 - 1.4453125));
  const auto out = Run({3, 2, 3}, [](Builder& b, ValueId a) { return b.Softmax("r", a, -1); });
  EXPECT_EQ(out[0], Half(1 / (2 + e)));
  EXPECT_EQ(out[1], Half(e / (2 + e)));
}

TEST_P(AneOpsTest, RoundsHalfAwayFromZero) {
  const auto twice = [](Builder& b, ValueId a) {
    return b.Add("r", a, b.Float(DType::kFp16, 1.0));
  };
  EXPECT_EQ(Run({2048, -2050, 4096}, twice), (std::vector<double>{2050, -2050, 4096}));
}

INSTANTIATE_TEST_SUITE_P(Devices, AneOpsTest,
                         ::testing::Values(Open{device::OpenReferenceDevice}, Open{OpenCpu}),
                         [](const auto& open) { return open.index == 0 ? "reference" : "cpu"; });

}  // namespace
}  // namespace millwright
