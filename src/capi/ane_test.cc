// The C interface, on the emulator: what it computes, and what it refuses.
#include <gmock/gmock.h>
#include <millwright/ane.h>

#include <cmath>
#include <cstring>

#include "device/ane/test_emulator.h"
#include "device/ane/test_program.h"
#include "device/reference/reference_device.h"
#include "mil/text.h"

namespace millwright::capi {
namespace {

using device::ane::Emulator;
using ::testing::HasSubstr;

constexpr const char* kPath = "@model_path/weights/w.bin";

// SmallProgram through the C interface.
class AneC : public ::testing::Test {
 protected:
  void SetUp() override {
    device_ = mw_ane_open(MILLWRIGHT_ANE_EMULATOR);
    ASSERT_NE(device_, nullptr) << mw_ane_last_error();
  }
  void TearDown() override { mw_ane_close(device_); }

  mw_ane_program* Compile() {
    const auto built = device::ane::SmallProgram();
    text_ = mil::Print(built.program);
    const auto& file = built.weights.files().at(kPath).bytes;
    const char* paths[] = {kPath};
    const uint8_t* files[] = {reinterpret_cast<const uint8_t*>(file.data())};
    const size_t sizes[] = {file.size()};
    return mw_ane_compile(device_, text_.data(), text_.size(), paths, files, sizes, 1);
  }

  Emulator emulator_;
  mw_ane_device* device_ = nullptr;
  std::string text_;
};

std::vector<Fp16> Halves(const std::vector<double>& values) {
  std::vector<Fp16> halves;
  for (const double value : values) halves.push_back(DoubleToFp16(value));
  return halves;
}

TEST_F(AneC, ComputesAsTheDeviceDoes) {
  mw_ane_program* program = Compile();
  ASSERT_NE(program, nullptr) << mw_ane_last_error();
  const auto built = device::ane::SmallProgram();
  const auto inputs = device::ane::RandomInputs(built.program.main());
  ASSERT_EQ(mw_ane_input_count(program), 3);
  ASSERT_EQ(mw_ane_output_count(program), 2);
  EXPECT_STREQ(mw_ane_input_name(program, 0), "b");
  EXPECT_STREQ(mw_ane_output_name(program, 1), "scaled");
  for (int i = 0; i < 3; ++i) {
    const auto halves = Halves(inputs[static_cast<size_t>(i)]);
    ASSERT_EQ(mw_ane_input_bytes(program, i), static_cast<int64_t>(halves.size() * 2));
    ASSERT_EQ(mw_ane_write_input(program, i, halves.data(), halves.size() * 2), 0);
  }
  ASSERT_EQ(mw_ane_evaluate(program), 0) << mw_ane_last_error();
  auto reference = device::OpenReferenceDevice({.precision = Precision::kAne});
  const auto expected = device::ane::RunProgram(**reference, built, inputs);
  for (int i = 0; i < 2; ++i) {
    std::vector<Fp16> halves(static_cast<size_t>(mw_ane_output_bytes(program, i)) / 2);
    ASSERT_EQ(mw_ane_read_output(program, i, halves.data(), halves.size() * 2), 0);
    EXPECT_EQ(halves, Halves((*expected)[static_cast<size_t>(i)]));
  }
  mw_ane_free(program);
}

TEST_F(AneC, RefusesWrongUse) {
  mw_ane_program* program = Compile();
  ASSERT_NE(program, nullptr) << mw_ane_last_error();
  std::vector<uint16_t> data(1 << 16);
  const auto bytes = static_cast<size_t>(mw_ane_input_bytes(program, 0));
  const auto refused = [](int64_t result, const char* why) {
    EXPECT_EQ(result, -1);
    EXPECT_THAT(mw_ane_last_error(), HasSubstr(why));
  };
  refused(mw_ane_write_input(program, 0, data.data(), bytes - 2), "which has 4096");
  refused(mw_ane_write_input(program, 0, data.data(), bytes + 2), "which has 4096");
  refused(mw_ane_write_input(program, 0, nullptr, bytes), "no data");
  refused(mw_ane_write_input(program, 3, data.data(), bytes), "has 3");
  refused(mw_ane_write_input(program, -1, data.data(), bytes), "has 3");
  refused(mw_ane_read_output(program, 0, data.data(), 8192), "nothing was evaluated");
  refused(mw_ane_output_bytes(program, 2), "has 2");
  EXPECT_EQ(mw_ane_input_name(program, 9), nullptr);
  EXPECT_EQ(mw_ane_write_input(program, 0, data.data(), bytes), 0);
  EXPECT_STREQ(mw_ane_last_error(), "");
  mw_ane_free(program);
  refused(mw_ane_evaluate(program), "does not exist");
  mw_ane_free(program);
  mw_ane_free(nullptr);
  refused(mw_ane_evaluate(nullptr), "does not exist");
  EXPECT_EQ(mw_ane_compile(device_, nullptr, 0, nullptr, nullptr, nullptr, 0), nullptr);
  EXPECT_EQ(mw_ane_compile(device_, "nonsense", 8, nullptr, nullptr, nullptr, 0), nullptr);
  EXPECT_EQ(mw_ane_compile(device_, "x", 1, nullptr, nullptr, nullptr, 1), nullptr);
  EXPECT_THAT(mw_ane_last_error(), HasSubstr("array is null"));
}

TEST_F(AneC, FailuresAreReportedAndLeaveNothing) {
  mw_ane_program* program = Compile();
  emulator_.inject("-[_ANEInMemoryModel evaluateWithQoS:options:request:error:]", 1, MWEMU_FAIL);
  EXPECT_EQ(mw_ane_evaluate(program), -1);
  EXPECT_THAT(mw_ane_last_error(), HasSubstr("evaluateWithQoS"));
  std::vector<uint16_t> data(4096);
  EXPECT_EQ(mw_ane_read_output(program, 0, data.data(), 8192), -1);
  emulator_.inject("-[_ANEInMemoryModel compiledModelExists]", 0, MWEMU_FAIL);
  emulator_.inject("-[_ANEInMemoryModel compileWithQoS:options:error:]", 1, MWEMU_FAIL);
  mw_ane_free(program);
  EXPECT_EQ(Compile(), nullptr);
  EXPECT_THAT(mw_ane_last_error(), HasSubstr("compileWithQoS"));
}

TEST_F(AneC, ClosingFreesPrograms) {
  mw_ane_program* program = Compile();
  ASSERT_NE(program, nullptr);
  mw_ane_close(device_);
  EXPECT_EQ(emulator_.live_objects(), 0);
  EXPECT_EQ(mw_ane_evaluate(program), -1);
  EXPECT_EQ(mw_ane_describe(device_), nullptr);
  device_ = nullptr;
  EXPECT_EQ(mw_ane_open("/no/such/library"), nullptr);
  EXPECT_THAT(mw_ane_last_error(), HasSubstr("/no/such/library"));
}

TEST_F(AneC, CountsCompilations) {
  mw_ane_reset_compile_count();
  EXPECT_EQ(mw_ane_compile_count(), 0);
  mw_ane_program* program = Compile();
  EXPECT_EQ(mw_ane_compile_count(), 1);
  mw_ane_free(program);
  mw_ane_free(Compile());  // known to the system
  EXPECT_EQ(mw_ane_compile_count(), 1);
  EXPECT_GT(mw_ane_compile_budget(device_), 1);
  EXPECT_THAT(mw_ane_describe(device_), HasSubstr("macOS 15.5"));
}

// The elements of a one-blob file, as mil reads them.
std::vector<double> BlobValues(const uint8_t* blob, size_t bytes, const mil::Type& type) {
  const auto* first = reinterpret_cast<const std::byte*>(blob);
  mil::WeightStore store;
  store.Put(kPath, std::vector<std::byte>(first, first + bytes));
  const auto data = store.Read(mil::Constant::Blob(type, {kPath, 64}));
  EXPECT_TRUE(data.ok()) << (data.ok() ? "" : data.error().message);
  std::vector<double> values;
  for (int64_t i = 0; data.ok() && i < type.elements(); ++i) {
    values.push_back(LoadElement(type.dtype, data->data(), static_cast<size_t>(i)));
  }
  return values;
}

TEST(AneBlobs, Fp16BothWays) {
  const float values[] = {1, 2, 3, 4, 5, 6.0001f};
  size_t bytes = 0;
  uint8_t* blob = mw_ane_blob_fp16(values, 2, 3, &bytes);
  EXPECT_THAT(BlobValues(blob, bytes, {DType::kFp16, {2, 3}}),
              ::testing::ElementsAre(1, 2, 3, 4, 5, 6));
  mw_ane_free_blob(blob);
  blob = mw_ane_blob_fp16_transposed(values, 2, 3, &bytes);
  EXPECT_THAT(BlobValues(blob, bytes, {DType::kFp16, {3, 2}}),
              ::testing::ElementsAre(1, 4, 2, 5, 3, 6));
  mw_ane_free_blob(blob);
}

TEST(AneBlobs, QuantizedHasAScaleARow) {
  const float values[] = {127, -63.5f, 0.4f, 1e-3f, -2e-3f, 1.5e-3f, 0, 0, 0};
  float scales[3] = {};
  size_t bytes = 0;
  uint8_t* blob = mw_ane_blob_quantized(values, 3, 3, scales, &bytes);
  ASSERT_NE(blob, nullptr) << mw_ane_last_error();
  const auto quantized = BlobValues(blob, bytes, {DType::kInt8, {3, 3}});
  mw_ane_free_blob(blob);
  EXPECT_EQ(scales[0], 1.0f);
  EXPECT_EQ(scales[1], ToFloat(ToFp16(2e-3f / 127)));
  EXPECT_EQ(scales[2], 1.0f);
  EXPECT_EQ(quantized[0], 127);
  EXPECT_EQ(quantized[1], -64);  // -63.5, half away from zero
  EXPECT_EQ(quantized[2], 0);
  for (size_t i = 0; i < 9; ++i) {
    EXPECT_LE(std::abs(quantized[i] * scales[i / 3] - values[i]), 0.5001f * scales[i / 3]) << i;
  }
}

TEST(AneBlobs, Int8AsTheyAre) {
  const int8_t values[] = {-128, 0, 127, 5};
  size_t bytes = 0;
  uint8_t* blob = mw_ane_blob_int8(values, 2, 2, &bytes);
  EXPECT_THAT(BlobValues(blob, bytes, {DType::kInt8, {2, 2}}),
              ::testing::ElementsAre(-128, 0, 127, 5));
  mw_ane_free_blob(blob);
}

TEST(AneBlobs, RefuseWhatHasNoBlob) {
  float value = 1, scale = 0;
  size_t bytes = 0;
  EXPECT_EQ(mw_ane_blob_fp16(nullptr, 1, 1, &bytes), nullptr);
  EXPECT_EQ(mw_ane_blob_fp16(&value, 0, 1, &bytes), nullptr);
  EXPECT_EQ(mw_ane_blob_fp16(&value, INT64_MAX, INT64_MAX, &bytes), nullptr);
  EXPECT_EQ(mw_ane_blob_quantized(&value, 1, 1, nullptr, &bytes), nullptr);
  value = INFINITY;
  EXPECT_EQ(mw_ane_blob_quantized(&value, 1, 1, &scale, &bytes), nullptr);
  EXPECT_THAT(mw_ane_last_error(), HasSubstr("not finite"));
  value = 1e30f;
  EXPECT_EQ(mw_ane_blob_quantized(&value, 1, 1, &scale, &bytes), nullptr);
}

}  // namespace
}  // namespace millwright::capi
