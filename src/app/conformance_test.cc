// The conformance check itself: it passes a good device and finds what is wrong with a bad one.
#include "app/conformance.h"

#include <gmock/gmock.h>

#include "app/open_device.h"
#include "base/tolerance.h"

namespace millwright::app {
namespace {

using device::Access;
using device::Call;
using device::Executable;
using device::Surface;

// Runs on another device, then spoils the first element of the first output.
class SpoiledCall : public Call {
 public:
  SpoiledCall(std::unique_ptr<Call> call, Surface* output, double factor)
      : call_(std::move(call)), output_(output), factor_(factor) {}
  Status Run() override {
    if (auto status = call_->Run(); !status) return status;
    auto mapping = output_->Map(Access::kReadWrite);
    if (!mapping) return mapping.error();
    const DType storage = output_->desc().storage;
    // The largest element, so that the damage is a share of the norm.
    size_t at = 0;
    const auto count = static_cast<size_t>(output_->desc().type.elements());
    const auto load = [&](size_t i) { return LoadElement(storage, mapping->bytes().data(), i); };
    for (size_t i = 0; i < count; ++i) {
      if (std::abs(load(i)) > std::abs(load(at))) at = i;
    }
    StoreElement(storage, mapping->bytes().data(), at, load(at) * factor_);
    return {};
  }

 private:
  std::unique_ptr<Call> call_;
  Surface* output_;
  double factor_;
};

class SpoiledExecutable : public Executable {
 public:
  SpoiledExecutable(std::unique_ptr<Executable> executable, double factor)
      : executable_(std::move(executable)), factor_(factor) {}
  Result<std::unique_ptr<Call>> Bind(std::span<Surface* const> inputs,
                                     std::span<Surface* const> outputs) override {
    auto call = executable_->Bind(inputs, outputs);
    if (!call) return call.error();
    return std::unique_ptr<Call>(
        std::make_unique<SpoiledCall>(std::move(*call), outputs[0], factor_));
  }

 private:
  std::unique_ptr<Executable> executable_;
  double factor_;
};

class SpoiledDevice : public device::Device {
 public:
  SpoiledDevice(std::unique_ptr<device::Device> device, double factor)
      : device_(std::move(device)), factor_(factor) {}
  std::string_view name() const override { return "spoiled"; }
  const device::Caps& caps() const override { return device_->caps(); }
  std::vector<device::Issue> Check(const mil::Program& program) const override {
    if (factor_ == 0) return {{"X1", "matmul y", "too wide"}};
    return device_->Check(program);
  }
  Result<std::unique_ptr<Executable>> Compile(const mil::Program& program,
                                              const mil::WeightStore& weights) override {
    auto executable = device_->Compile(program, weights);
    if (!executable) return executable.error();
    return std::unique_ptr<Executable>(
        std::make_unique<SpoiledExecutable>(std::move(*executable), factor_));
  }
  Result<std::unique_ptr<Surface>> NewSurface(const mil::Type& type) override {
    return device_->NewSurface(type);
  }
  Result<std::unique_ptr<Surface>> WrapHost(const mil::Type& type,
                                            std::span<std::byte> memory) override {
    return device_->WrapHost(type, memory);
  }

 private:
  std::unique_ptr<device::Device> device_;
  double factor_;
};

std::vector<ConformanceResult> CheckSpoiled(double factor) {
  auto device = OpenDevice("reference", {.precision = Precision::kFp32});
  EXPECT_TRUE(device.ok());
  SpoiledDevice spoiled(std::move(*device), factor);
  return CheckConformance(spoiled, Precision::kFp32, ConformanceConfigs()[1]);
}

TEST(Conformance, CoversEveryKernelInEveryBinding) {
  const auto results = CheckSpoiled(1.0);
  EXPECT_EQ(results.size(), 3 * kernels::AllKernels().size());
  for (const ConformanceResult& result : results) {
    EXPECT_TRUE(result.ok) << result.kernel << ": " << result.problem;
    EXPECT_TRUE(result.compared);
    EXPECT_GT(result.bound, 0.0);
  }
}

TEST(Conformance, FindsAnElementThatIsOffByAThousandth) {
  for (const ConformanceResult& result : CheckSpoiled(1.001)) {
    EXPECT_FALSE(result.ok) << result.kernel << ": error " << result.error << ", bound "
                            << result.bound;
    EXPECT_THAT(result.problem, ::testing::HasSubstr("is off"));
  }
}

TEST(Conformance, FindsNotANumber) {
  for (const ConformanceResult& result : CheckSpoiled(std::nan(""))) {
    EXPECT_FALSE(result.ok) << result.kernel;
  }
}

TEST(Conformance, ReportsTheDevicesOwnObjections) {
  for (const ConformanceResult& result : CheckSpoiled(0.0)) {
    EXPECT_FALSE(result.ok);
    EXPECT_FALSE(result.compared);
    EXPECT_EQ(result.problem, "X1 matmul y: too wide");
  }
}

TEST(Conformance, BoundGrowsWithTheRoundingOfThePrecision) {
  kernels::KernelSpec spec = {.config = ConformanceConfigs()[0]};
  auto program = kernels::Generate(*kernels::AllKernels()[0], spec);
  ASSERT_TRUE(program.ok());
  double last = 0;
  for (Precision precision :
       {Precision::kExact, Precision::kFp32, Precision::kFp16, Precision::kAne}) {
    const double bound = ConformanceBound(*program, precision, 20);
    EXPECT_GT(bound, last);
    EXPECT_LT(bound, 1.0);  // or nothing could fail
    last = bound;
  }
}

// The wide network is there for products of rounded operands: their error is far above that of
// fp32, and within their own bound.
TEST(Conformance, SeesProductsOfRoundedOperands) {
  for (const Precision precision : {Precision::kBf16, Precision::kInt8}) {
    auto device = OpenDevice("cpu", {.precision = precision});
    ASSERT_TRUE(device.ok());
    int products = 0;
    for (const auto& result : CheckConformance(**device, precision, ConformanceConfigs().back())) {
      EXPECT_TRUE(result.ok) << PrecisionName(precision) << " " << result.kernel << ": "
                             << result.problem << ", error " << result.error << ", bound "
                             << result.bound;
      EXPECT_LT(result.bound, 0.5) << result.kernel;
      products += result.error > Gamma(DType::kFp32, 1000);
    }
    EXPECT_GE(products, 24);  // eight kernels have weights, in three bindings
  }
}

}  // namespace
}  // namespace millwright::app
