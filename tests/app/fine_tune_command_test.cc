// millwright train --from: what is trained, what is written, what is refused.
#include <gmock/gmock.h>

#include <cstdio>
#include <nlohmann/json.hpp>

#include "app/stored_model.h"
#include "checkpoint/hf_folder.h"
#include "tests/app/tiny_run.h"

namespace millwright::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class FineTuneCommand : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    test_folder = std::make_unique<checkpoint::TestFolder>();
    TrainTinyRun(TinyPlain(), test_folder->path());
    const CommandResult converted =
        RunCommand(TinyPlain(), {"convert", "--from", test_folder->File("run"), "--to",
                                 test_folder->File("base"), "--dtype", "bf16"});
    ASSERT_EQ(converted.exit_code, 0) << converted.err;
  }
  static void TearDownTestSuite() { test_folder.reset(); }

  static CommandResult Train(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"train", "--data", test_folder->File("data.bin"),
                                         "--device", "reference", "--accum", "2"});
    return RunCommand(TinyPlain(), std::move(arguments));
  }

  // A run of four micro-steps from the base in bf16; its folder.
  static std::string Tuned(const std::string& name, std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--from", test_folder->File("base"), "--steps", "4", "--out",
                                       test_folder->File(name)});
    const CommandResult result = Train(std::move(arguments));
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return test_folder->File(name);
  }

  static double EvalLoss(const std::string& path) {
    const CommandResult result =
        RunCommand(TinyPlain(), {"eval", "--from", path, "--seq", "6", "--data",
                                 test_folder->File("data.bin"), "--device", "reference"});
    EXPECT_EQ(result.exit_code, 0) << result.err;
    double loss = 0;
    EXPECT_EQ(std::sscanf(result.out.c_str(), "loss=%lf", &loss), 1) << result.out;
    return loss;
  }

  static DType TypeOf(const std::string& model) {
    const auto folder = checkpoint::HfFolder::Open(model);
    EXPECT_TRUE(folder.ok()) << (folder.ok() ? "" : folder.error().message);
    return folder.ok() ? folder->dtype() : DType::kBool;
  }

  // A refusal is one line that says why, and leaves nothing behind.
  static void ExpectRefused(std::vector<std::string> arguments, const std::string& what) {
    arguments.insert(arguments.end(), {"--out", test_folder->File("refused")});
    const CommandResult result = Train(std::move(arguments));
    EXPECT_EQ(result.exit_code, 2) << what;
    EXPECT_THAT(result.err, AllOf(HasSubstr("millwright: "), HasSubstr(what)));
    EXPECT_FALSE(std::filesystem::exists(test_folder->File("refused"))) << what;
  }

  static std::unique_ptr<checkpoint::TestFolder> test_folder;
};

std::unique_ptr<checkpoint::TestFolder> FineTuneCommand::test_folder;

TEST_F(FineTuneCommand, KeepsTheSourcesDType) {
  const std::string kept = Tuned("kept", {});
  EXPECT_EQ(TypeOf(kept + "/model"), DType::kBf16);
  EXPECT_EQ(TypeOf(Tuned("single", {"--export-dtype", "fp32"}) + "/model"), DType::kFp32);
  EXPECT_EQ(TypeOf(test_folder->File("run/model")), DType::kFp32);
  // It goes on with the run, and may be changed.
  CommandResult result = Train({"--resume", "--steps", "6", "--out", kept});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(TypeOf(kept + "/model"), DType::kBf16);
  result = Train({"--resume", "--steps", "8", "--export-dtype", "fp16", "--out", kept});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(TypeOf(kept + "/model"), DType::kFp16);
}

TEST_F(FineTuneCommand, FreezesByPattern) {
  const std::string tuned =
      Tuned("frozen", {"--freeze", "model.embed_tokens*", "--freeze", "*.0.mlp.*"});
  const auto run = nlohmann::json::parse(checkpoint::ReadBytes(tuned + "/run.json"));
  EXPECT_EQ(run["settings"]["freeze"], "model.embed_tokens* *.0.mlp.*");
  const auto base = checkpoint::HfFolder::Open(test_folder->File("base"));
  const auto model = checkpoint::HfFolder::Open(tuned + "/model");
  ASSERT_TRUE(base.ok() && model.ok());
  for (const model::TensorSpec& spec : model::TensorTable(base->config())) {
    std::vector<float> a(static_cast<size_t>(NumElements(spec.shape))), b(a.size());
    ASSERT_TRUE(base->Read(spec, a).ok() && model->Read(spec, b).ok());
    const bool frozen = spec.name.starts_with("model.embed_tokens") ||
                        spec.name.find(".0.mlp.") != std::string::npos;
    if (frozen) {
      EXPECT_EQ(a, b) << spec.name;
    }
    if (!spec.is_norm()) {  // norms move below bf16's steps
      EXPECT_EQ(a == b, frozen) << spec.name;
    }
  }
  // A resumed run takes the patterns from its state, and no others.
  EXPECT_EQ(Train({"--resume", "--steps", "6", "--out", tuned}).exit_code, 0);
  const CommandResult other =
      Train({"--resume", "--steps", "8", "--freeze", "*.1.*", "--out", tuned});
  EXPECT_EQ(other.exit_code, 2);
  EXPECT_THAT(other.err, HasSubstr("--freeze"));
}

TEST_F(FineTuneCommand, WritesAdapterAndMergedModel) {
  const std::string tuned =
      Tuned("adapted", {"--lora-rank", "2", "--lora-alpha", "8", "--lora-targets", "q_proj,up_proj",
                        "--lr", "5e-2", "--export-dtype", "fp32"});
  EXPECT_TRUE(std::filesystem::exists(tuned + "/adapter/adapter_config.json"));
  EXPECT_TRUE(std::filesystem::exists(tuned + "/adapter/adapter_model.safetensors"));
  const auto config =
      nlohmann::json::parse(checkpoint::ReadBytes(tuned + "/adapter/adapter_config.json"));
  EXPECT_EQ(config["base_model_name_or_path"], test_folder->File("base"));
  EXPECT_NE(EvalLoss(tuned), EvalLoss(test_folder->File("base")));
  EXPECT_NEAR(EvalLoss(tuned), EvalLoss(tuned + "/model"), 1.01e-4);
  // The state says all that is needed to go on, and what it says may be repeated.
  const CommandResult result =
      Train({"--resume", "--steps", "6", "--lora-rank", "2", "--lora-alpha", "8", "--out", tuned});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("LoRA: rank 2, alpha 8, q_proj,up_proj"));
  const CommandResult other =
      Train({"--resume", "--steps", "8", "--lora-rank", "3", "--out", tuned});
  EXPECT_EQ(other.exit_code, 2);
  EXPECT_THAT(other.err, HasSubstr("--lora-rank 3"));
}

TEST_F(FineTuneCommand, RefusesByName) {
  const std::vector<std::string> from = {"--from", test_folder->File("base")};
  const auto refused = [&](std::vector<std::string> flags, const std::string& what) {
    flags.insert(flags.end(), from.begin(), from.end());
    ExpectRefused(std::move(flags), what);
  };
  refused({"--lora-rank", "0"}, "--lora-rank 0");
  refused({"--lora-rank", "-2"}, "--lora-rank -2");
  refused({"--lora-rank", "9"}, "--lora-rank 9");  // k_proj and v_proj have 8 rows
  refused({"--lora-rank", "2", "--lora-targets", "q_proj,lm_head"}, "'lm_head'");
  refused({"--lora-rank", "2", "--lora-alpha", "0"}, "--lora-alpha 0");
  refused({"--lora-rank", "2", "--freeze", "*norm*"}, "--freeze '*norm*'");
  refused({"--lora-rank", "2", "--residual-alpha", "0.5"}, "--residual-alpha");
  refused({"--lora-alpha", "4"}, "--lora-alpha: needs --lora-rank");
  refused({"--lora-targets", "q_proj"}, "--lora-targets: needs --lora-rank");
  refused({"--freeze", "*"}, "nothing is left to train");
  refused({"--freeze", "model.layers.2.*"}, "'model.layers.2.*'");
  refused({"--export-dtype", "int8"}, "--export-dtype int8");
  refused({"--vocab", "exact"}, "--vocab exact");
  refused({"--residual-alpha", "auto"}, "--residual-alpha auto");
  refused({"--qk-norm", "on"}, "--qk-norm on");
  refused({"--qk-norm", "off"}, "--qk-norm off");
  ExpectRefused({"--scratch", "--lora-rank", "2"}, "--scratch");
}

}  // namespace
}  // namespace millwright::testing
