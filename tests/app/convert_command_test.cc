// millwright convert: from a run to every format and back.
#include <gmock/gmock.h>

#include "app/stored_model.h"
#include "base/tolerance.h"
#include "model/rotary_layout.h"
#include "tests/app/tiny_run.h"
#include "tests/training/tiny_models.h"

namespace millwright::testing {
namespace {

using app::StoredModel;
using checkpoint::BlztPart;
using checkpoint::TestFolder;
using ::testing::HasSubstr;

StoredModel Open(const std::string& path) {
  auto model = app::OpenStoredModel(path);
  EXPECT_TRUE(model.ok()) << (model.ok() ? "" : model.error().message);
  return model.ok() ? *model : StoredModel{};
}

std::vector<float> Read(const StoredModel& model, const model::TensorSpec& spec, BlztPart part) {
  std::vector<float> data(static_cast<size_t>(NumElements(spec.shape)));
  const Status status = model.read(spec, part, data);
  EXPECT_TRUE(status.ok()) << (status.ok() ? "" : status.error().message);
  return data;
}

// Holds all tensors of two models to each other, in the rotary layout of the second. `relative` is
// the rounding of the formats on the way.
void ExpectSameModel(const StoredModel& actual, const StoredModel& expected, BlztPart part,
                     double relative) {
  bool any = false;
  for (const model::TensorSpec& spec : model::TensorTable(expected.config)) {
    std::vector<float> a = Read(actual, spec, part);
    const std::vector<float> e = Read(expected, spec, part);
    model::ConvertRotary(actual.config, spec, actual.config.rotary, expected.config.rotary, a);
    const Comparison compared = Compare(a, e, {.relative = relative});
    EXPECT_TRUE(compared) << spec.name << ": " << compared.Message();
    any |= Norm2(std::span<const float>(e)) > 0;
  }
  EXPECT_TRUE(any);
}

class ConvertCommand : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    test_folder = std::make_unique<TestFolder>();
    TrainTinyRun(TinyPlain(), test_folder->path());
  }
  static void TearDownTestSuite() { test_folder.reset(); }

  static std::string Run() { return test_folder->File("run"); }
  static CommandResult Convert(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "convert");
    return RunCommand(TinyPlain(), std::move(arguments));
  }
  static void ConvertTo(const std::string& from, const std::string& to,
                        const std::vector<std::string>& more = {}) {
    std::vector<std::string> arguments = {"--from", from, "--to", to};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const CommandResult result = Convert(arguments);
    ASSERT_EQ(result.exit_code, 0) << result.err;
    EXPECT_THAT(result.out, HasSubstr(to));
  }

  static std::unique_ptr<TestFolder> test_folder;
};
std::unique_ptr<TestFolder> ConvertCommand::test_folder;

TEST_F(ConvertCommand, RunToHuggingFaceIsTheModelOfTheRun) {
  const TestFolder out;
  ConvertTo(Run(), out.File("hf"));
  EXPECT_EQ(checkpoint::ReadBytes(out.File("hf/model.safetensors")),
            checkpoint::ReadBytes(Run() + "/model/model.safetensors"));
  ExpectSameModel(Open(out.File("hf")), Open(Run()), BlztPart::kWeight, 0.0);
}

TEST_F(ConvertCommand, RunToBlztAndBackKeepsWeightsMomentsAndPosition) {
  const TestFolder out;
  ConvertTo(Run(), out.File("ckpt.bin"));
  const StoredModel run = Open(Run()), blzt = Open(out.File("ckpt.bin"));
  EXPECT_EQ(blzt.format, "BLZT version 4");
  EXPECT_EQ(blzt.progress.step, 4);
  EXPECT_EQ(blzt.progress.total_steps, 4);
  EXPECT_EQ(blzt.progress.adam_t, 2);
  // Two layers: the factor between the formats is 1/2, which loses nothing.
  for (BlztPart part : {BlztPart::kWeight, BlztPart::kM, BlztPart::kV}) {
    ExpectSameModel(blzt, run, part, 0.0);
  }
  ConvertTo(out.File("ckpt.bin"), out.File("hf"));
  ExpectSameModel(Open(out.File("hf")), run, BlztPart::kWeight, 0.0);
}

TEST_F(ConvertCommand, HuggingFaceToBlztHasNoMoments) {
  const TestFolder out;
  ConvertTo(Run() + "/model", out.File("ckpt"), {"--format", "blzt"});
  const StoredModel blzt = Open(out.File("ckpt"));
  ExpectSameModel(blzt, Open(Run()), BlztPart::kWeight, 0.0);
  for (const model::TensorSpec& spec : model::TensorTable(blzt.config)) {
    for (BlztPart part : {BlztPart::kM, BlztPart::kV}) {
      const std::vector<float> moments = Read(blzt, spec, part);
      EXPECT_EQ(Norm2(std::span<const float>(moments)), 0.0) << spec.name;
    }
  }
}

TEST_F(ConvertCommand, NarrowTypesRoundOnce) {
  for (DType dtype : {DType::kBf16, DType::kFp16}) {
    const TestFolder out;
    ConvertTo(Run(), out.File("hf"), {"--dtype", std::string(DTypeName(dtype))});
    const StoredModel wide = Open(Run()), narrow = Open(out.File("hf"));
    for (const model::TensorSpec& spec : model::TensorTable(wide.config)) {
      std::vector<float> a = Read(narrow, spec, BlztPart::kWeight);
      model::ConvertRotary(narrow.config, spec, narrow.config.rotary, wide.config.rotary, a);
      const Comparison compared =
          Compare(a, Read(wide, spec, BlztPart::kWeight),
                  {.absolute = SmallestPositive(dtype), .relative = UnitRoundoff(dtype)});
      EXPECT_TRUE(compared) << spec.name << ": " << compared.Message();
    }
  }
}

TEST_F(ConvertCommand, InactiveWordsHaveTheSharedRow) {
  const StoredModel run = Open(Run());
  const std::vector<float> embedding =
      Read(run, model::TensorTable(run.config)[0], BlztPart::kWeight);
  const auto row = [&](size_t word) {
    const auto begin = embedding.begin() + static_cast<ptrdiff_t>(word * 16);
    return std::vector<float>(begin, begin + 16);
  };
  // The shard holds no id above 16.
  EXPECT_EQ(row(21), row(22));
  EXPECT_NE(row(0), row(22));
}

TEST_F(ConvertCommand, ReplacesOnlyModelsAndOnlyWhenTold) {
  const TestFolder out;
  ConvertTo(Run(), out.File("hf"));
  const CommandResult refused = Convert({"--from", Run(), "--to", out.File("hf")});
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_THAT(refused.err, HasSubstr("--overwrite"));
  ConvertTo(Run(), out.File("hf"), {"--overwrite", "--dtype", "bf16"});
  ConvertTo(Run(), out.File("x.bin"));
  EXPECT_EQ(Convert({"--from", Run(), "--to", out.File("x.bin")}).exit_code, 2);
  ConvertTo(Run(), out.File("x.bin"), {"--overwrite"});

  std::filesystem::create_directory(out.File("photos"));
  checkpoint::WriteBytes(out.File("photos/cat.jpg"), "cat");
  EXPECT_EQ(Convert({"--from", Run(), "--to", out.File("photos"), "--overwrite"}).exit_code, 2);
  EXPECT_EQ(checkpoint::ReadBytes(out.File("photos/cat.jpg")), "cat");
  EXPECT_EQ(Convert({"--from", Run(), "--to", Run(), "--overwrite"}).exit_code, 2);
}

TEST_F(ConvertCommand, BlztRefusesWhatItsReaderCannotCompute) {
  const TestFolder out;
  TrainTinyRun(TinyGqa(model::RotaryLayout::kHalfSplit), out.path());
  const CommandResult result = Convert({"--from", out.File("run"), "--to", out.File("x.bin")});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.err, HasSubstr("QK"));
  EXPECT_FALSE(std::filesystem::exists(out.File("x.bin")));
}

TEST_F(ConvertCommand, ResidualAlphaIsFoldedIn) {
  const TestFolder out;
  TrainTinyRun(TinyPlain(), out.path(), {"--residual-alpha", "0.5"});
  ConvertTo(out.File("run"), out.File("hf"));
  const StoredModel run = Open(out.File("run")), hf = Open(out.File("hf"));
  for (const model::TensorSpec& spec : model::TensorTable(run.config)) {
    if (spec.role != model::TensorRole::kW2 && spec.role != model::TensorRole::kWo) continue;
    std::vector<float> expected = Read(run, spec, BlztPart::kWeight);
    for (float& value : expected) value *= 0.5f;
    EXPECT_EQ(Read(hf, spec, BlztPart::kWeight), expected) << spec.name;
  }
}

TEST(ConvertActClip, WarnsOfWhatNoFormatCanSay) {
  const TestFolder folder;
  TrainTinyRun(TinyPlain(), folder.path(), {"--act-clip", "2.5"});
  const CommandResult result =
      RunCommand(TinyPlain(), {"convert", "--from", folder.File("run"), "--to",
                               folder.File("model.bin"), "--format", "llama2c"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("--act-clip 2.5"));
}

}  // namespace
}  // namespace millwright::testing
