// millwright kernels: the table, the plan, and the files that it writes.
#include <gmock/gmock.h>

#include "app/open_device.h"
#include "checkpoint/test_folder.h"
#include "kernels/kernel.h"
#include "mil/text.h"
#include "mil/verify.h"
#include "tests/app/run_command.h"
#include "tests/training/tiny_models.h"

namespace millwright::testing {
namespace {

using ::testing::HasSubstr;

std::vector<std::string> Lines(const std::string& text) {
  std::vector<std::string> lines;
  for (size_t at = 0; at < text.size();) {
    const size_t end = text.find('\n', at);
    lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

TEST(KernelsCommand, ListsTenKernelsAndTheirShapes) {
  const CommandResult result = RunCommand(TinyMha(), {"kernels", "--device", "reference"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  for (const kernels::KernelDef* kernel : kernels::TrainingKernels()) {
    EXPECT_THAT(result.out, HasSubstr(std::string(kernel->name)));
  }
  EXPECT_THAT(result.out, HasSubstr("wo[1, 1, 16, 16]"));
  EXPECT_THAT(result.out, HasSubstr("h3[1, 20, 1, 6]"));
}

TEST(KernelsCommand, PlanIsOneLineALaunch) {
  const CommandResult result =
      RunCommand(TinyMha(), {"kernels", "--plan", "--device", "reference"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  int64_t launches = 0;
  for (const std::string& line : Lines(result.out)) {
    launches += line.find(" kernel ") != std::string::npos;
  }
  const int64_t per_layer = static_cast<int64_t>(kernels::TrainingKernels().size());
  EXPECT_EQ(launches, per_layer * TinyMha().layers);
}

class EmittedKernels : public ::testing::TestWithParam<kernels::Binding> {};

// Every program parses, verifies, finds its weights, and compiles.
TEST_P(EmittedKernels, AreCompletePrograms) {
  for (const model::ModelConfig& config : TinyConfigs()) {
    const checkpoint::TestFolder folder;
    const std::string out = folder.File("kernels");
    const CommandResult result = RunCommand(
        config,
        {"kernels", "--emit", out, "--binding", std::string(kernels::BindingName(GetParam()))});
    ASSERT_EQ(result.exit_code, 0) << result.err;
    auto device = app::OpenDevice("reference", {.precision = Precision::kFp16});
    ASSERT_TRUE(device.ok());
    for (const kernels::KernelDef* kernel : kernels::TrainingKernels()) {
      const std::string file =
          fmt::format("{}/{:02}_{}.mil", out, static_cast<int>(kernel->id) + 1, kernel->name);
      const std::string text = checkpoint::ReadBytes(file);
      auto program = mil::Parse(text, file);
      ASSERT_TRUE(program.ok()) << program.error().message;
      EXPECT_EQ(mil::Print(*program), text) << file;
      EXPECT_TRUE(mil::Verify(*program).ok()) << mil::Verify(*program).error().message;
      for (mil::ValueId input : program->main().inputs) {
        EXPECT_EQ(program->main().value(input).type.dtype, DType::kFp16) << file;
      }
      auto weights = mil::LoadWeights(*program, out);
      ASSERT_TRUE(weights.ok()) << weights.error().message;
      auto executable = (*device)->Compile(*program, *weights);
      EXPECT_TRUE(executable.ok()) << (executable.ok() ? "" : executable.error().message);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, EmittedKernels, ::testing::ValuesIn(kBindings), [](const auto& test) {
  return std::string(kernels::BindingName(test.param));
});

// wq of sdpaFwd and its transpose in qBwd are one matrix.
TEST(EmittedWeights, AreTheSameMatrixInEveryKernel) {
  const checkpoint::TestFolder folder;
  const std::string out = folder.File("kernels");
  const model::ModelConfig config = TinyGqa(model::RotaryLayout::kHalfSplit);
  ASSERT_EQ(RunCommand(config, {"kernels", "--emit", out, "--binding", "constant"}).exit_code, 0);
  const std::string plain = checkpoint::ReadBytes(out + "/weights/wq.bin");
  const std::string transposed = checkpoint::ReadBytes(out + "/weights/wq_t.bin");
  const auto rows = static_cast<size_t>(config.q_dim()), columns = static_cast<size_t>(config.dim);
  constexpr size_t kData = 128;  // behind two headers of 64 bytes
  ASSERT_EQ(plain.size(), kData + 2 * rows * columns);
  ASSERT_EQ(transposed.size(), plain.size());
  std::set<std::string> values;
  for (size_t r = 0; r < rows; ++r) {
    for (size_t c = 0; c < columns; ++c) {
      const std::string value = plain.substr(kData + 2 * (r * columns + c), 2);
      EXPECT_EQ(value, transposed.substr(kData + 2 * (c * rows + r), 2));
      values.insert(value);
    }
  }
  EXPECT_GT(values.size(), rows * columns / 2);
}

TEST(EmittedWeights, AFolderThatHoldsSomethingIsLeftAlone) {
  const checkpoint::TestFolder folder;
  checkpoint::WriteBytes(folder.File("precious"), "text");
  const CommandResult refused = RunCommand(TinyMha(), {"kernels", "--emit", folder.path()});
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_THAT(refused.err, HasSubstr("not empty"));
  EXPECT_EQ(checkpoint::ReadBytes(folder.File("precious")), "text");
  EXPECT_FALSE(std::filesystem::exists(folder.File("01_sdpaFwd.mil")));
  EXPECT_EQ(RunCommand(TinyMha(), {"kernels", "--emit", folder.File("a/b")}).exit_code, 2);
  std::filesystem::create_directory(folder.File("empty"));
  EXPECT_EQ(RunCommand(TinyMha(), {"kernels", "--emit", folder.File("empty/")}).exit_code, 0);
  EXPECT_TRUE(std::filesystem::exists(folder.File("empty/10_kvBwd.mil")));
}

}  // namespace
}  // namespace millwright::testing
